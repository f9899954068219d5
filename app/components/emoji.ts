/** The emoji people reach for, by their common short names. */
const list =
	"smile 😄|grin 😁|joy 😂|rofl 🤣|slight_smile 🙂|upside_down 🙃|wink 😉|blush 😊|innocent 😇|heart_eyes 😍|star_struck 🤩|kissing 😗|yum 😋|tongue 😛|zany 🤪|money 🤑|hug 🤗|hand_over_mouth 🤭|shush 🤫|thinking 🤔|zipper 🤐|raised_eyebrow 🤨|neutral 😐|expressionless 😑|smirk 😏|unamused 😒|rolling_eyes 🙄|grimace 😬|relieved 😌|pensive 😔|sleepy 😪|sleeping 😴|mask 😷|sick 🤒|nauseated 🤢|sneeze 🤧|hot 🥵|cold 🥶|dizzy 😵|mind_blown 🤯|cowboy 🤠|party_face 🥳|sunglasses 😎|nerd 🤓|monocle 🧐|confused 😕|worried 😟|open_mouth 😮|hushed 😯|astonished 😲|flushed 😳|pleading 🥺|cry 😢|sob 😭|scream 😱|sweat 😓|sweat_smile 😅|tired 😫|yawn 🥱|triumph 😤|angry 😠|skull 💀|poop 💩|clown 🤡|ghost 👻|alien 👽|robot 🤖|wave 👋|hand ✋|ok_hand 👌|pinch 🤏|peace ✌️|crossed_fingers 🤞|call_me 🤙|point_left 👈|point_right 👉|point_up 👆|point_down 👇|thumbs_up 👍|+1 👍|thumbs_down 👎|-1 👎|fist ✊|fist_bump 👊|clap 👏|raised_hands 🙌|open_hands 👐|handshake 🤝|pray 🙏|writing ✍️|muscle 💪|eyes 👀|brain 🧠|shrug 🤷|facepalm 🤦|bow 🙇|runner 🏃|dancer 💃|heart ❤️|orange_heart 🧡|yellow_heart 💛|green_heart 💚|blue_heart 💙|purple_heart 💜|black_heart 🖤|broken_heart 💔|sparkles ✨|star ⭐|fire 🔥|boom 💥|100 💯|zap ⚡|rainbow 🌈|sun ☀️|cloud ☁️|rain 🌧️|snow ❄️|umbrella ☔|earth 🌍|moon 🌙|seedling 🌱|tree 🌳|cactus 🌵|flower 🌸|rose 🌹|sunflower 🌻|dog 🐶|cat 🐱|mouse 🐭|fox 🦊|bear 🐻|panda 🐼|monkey 🐵|see_no_evil 🙈|unicorn 🦄|bee 🐝|bug 🐛|butterfly 🦋|turtle 🐢|snail 🐌|octopus 🐙|whale 🐳|apple 🍎|avocado 🥑|bread 🍞|cheese 🧀|pizza 🍕|taco 🌮|cookie 🍪|cake 🎂|coffee ☕|tea 🍵|mate 🧉|beer 🍺|wine 🍷|tada 🎉|balloon 🎈|gift 🎁|trophy 🏆|medal 🏅|soccer ⚽|guitar 🎸|art 🎨|rocket 🚀|car 🚗|bike 🚲|house 🏠|hourglass ⏳|alarm ⏰|bulb 💡|laptop 💻|phone 📱|camera 📷|book 📖|memo 📝|pencil ✏️|pushpin 📌|paperclip 📎|calendar 📅|chart 📈|lock 🔒|key 🔑|hammer 🔨|wrench 🔧|gear ⚙️|link 🔗|package 📦|mailbox 📬|bell 🔔|mega 📣|speech 💬|warning ⚠️|stop 🛑|question ❓|exclamation ❗|check ✅|x ❌|recycle ♻️|infinity ♾️|red_circle 🔴|green_circle 🟢";

/** The emoji whose names hold these letters, those that begin with them first. */
export function emojiFor(letters: string, most: number): { name: string; emoji: string }[] {
	const found: { name: string; emoji: string; at: number }[] = [];
	for (const entry of list.split("|")) {
		const [name = "", emoji = ""] = entry.split(" ");
		const at = name.indexOf(letters);
		if (at >= 0) found.push({ name, emoji, at });
	}
	return found.sort((a, b) => Number(a.at > 0) - Number(b.at > 0) || a.name.length - b.name.length).slice(0, most);
}
