import { useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";

/** Who is writing, in a line of its own height: it comes and goes without moving anything. */
export function TypingLine({ roomId }: { roomId: string }) {
	const { t } = useWords();
	const typing = useLiveState((state) => state.typing[roomId]);
	const [first, second, ...more] = typing ?? [];
	const words = !first
		? ""
		: more.length > 0
			? t("typing.many")
			: second
				? t("typing.two", { name: first.person.name, other: second.person.name })
				: t("typing.one", { name: first.person.name });
	return (
		<p className="typing" aria-hidden={words === ""}>
			{words && (
				<svg className="wave" viewBox="0 0 28 10" aria-hidden="true">
					<path d="M-14 5q3.5-6 7 0t7 0 7 0 7 0 7 0 7 0 7 0 7 0" />
				</svg>
			)}
			{words}
		</p>
	);
}
