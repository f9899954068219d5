type Key = { ctrlKey: boolean; metaKey: boolean; shiftKey: boolean; altKey: boolean };

/** Whether this Enter sends or saves: as chosen, and never alone on a touch screen, whose keyboard has no other way to a new line. */
export function sends(key: Key, enterSends: boolean): boolean {
	if (key.ctrlKey || key.metaKey) return true;
	return enterSends && !key.shiftKey && !key.altKey && !matchMedia("(hover: none) and (pointer: coarse)").matches;
}
