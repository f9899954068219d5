import type { IncomingMessage } from "node:http";

/**
 * Whose address a request came from, when exactly `hops` proxies of ours stand in front: the one the outermost of them saw. The
 * same for pages and for a socket's handshake, and the same Express makes of `trust proxy`.
 */
export function openAddress(hops: number): (request: IncomingMessage) => string {
	return (request) => {
		const forwarded = String(request.headers["x-forwarded-for"] ?? "")
			.split(",")
			.map((each) => each.trim())
			.filter(Boolean)
			.reverse();
		const way = [request.socket.remoteAddress ?? "", ...forwarded];
		return way[Math.min(hops, way.length - 1)] as string;
	};
}

/** An address as far as it may be written down: /24, or /48 of IPv6. */
export function prefixOf(address: string | undefined): string {
	const plain = (address ?? "").replace(/^::ffff:/, "");
	if (/^\d+\.\d+\.\d+\.\d+$/.test(plain)) return plain.replace(/\.\d+$/, ".0/24");
	return plain.includes(":") ? `${(plain.split("::")[0] ?? "").split(":").filter(Boolean).slice(0, 3).join(":")}::/48` : "";
}
