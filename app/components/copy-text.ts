/** Puts text on the clipboard. False when the browser does not allow it (an insecure page, a denied permission). */
export async function copyText(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		return false;
	}
}
