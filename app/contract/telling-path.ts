/** Longer ones say nothing more, characters. */
const longest = 200;

/**
 * The path of an address as it may be written down: without query and fragment, cut, and with the token of an owner's link,
 * which makes administrators, put out. However it is spelled: pages are found whatever the case, with slashes doubled and
 * letters escaped.
 */
export function tellingPath(address: string): string {
	const path = (/^[a-z][a-z+.-]*:\/\/[^/?#]*(.*)$/i.exec(address)?.[1] ?? address).split(/[?#]/, 1)[0] || "/";
	const plain = decoded(path).replaceAll("\\", "/");
	return /^\/*owner\//i.test(plain) ? "/owner/:token" : path.slice(0, longest);
}

function decoded(path: string): string {
	try {
		return decodeURIComponent(path);
	} catch {
		// What follows may be broken on purpose; the name before it can still be read.
		return path.replace(/%([0-7][0-9a-f])/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
	}
}
