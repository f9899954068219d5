/** The cookies of a Cookie header by name. The first of a name wins; what cannot be decoded is taken as it is. */
export function readCookies(header: string | undefined | null): Record<string, string | undefined> {
	const cookies: Record<string, string | undefined> = Object.create(null);
	for (const part of (header ?? "").split(";")) {
		const at = part.indexOf("=");
		if (at < 1) continue;
		const name = part.slice(0, at).trim();
		const value = part.slice(at + 1).trim();
		if (name in cookies) continue;
		try {
			cookies[name] = decodeURIComponent(value);
		} catch {
			cookies[name] = value;
		}
	}
	return cookies;
}
