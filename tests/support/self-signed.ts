import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** Long enough for a test, short enough to be worth nothing to anybody. */
const DAY = 24 * 60 * 60_000;

/** A certificate for localhost and an IPv4 address that vouches for itself, and its key, both PEM; good for a day. */
export function selfSigned(address = "127.0.0.1"): { key: string; cert: string } {
	const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const algorithm = sequence(oid(1, 2, 840, 10045, 4, 3, 2));
	const name = sequence(set(sequence(oid(2, 5, 4, 3), tagged(0x0c, Buffer.from("localhost")))));
	const extensions = sequence(
		extension(oid(2, 5, 29, 19), sequence(tagged(0x01, Buffer.from([0xff])))),
		extension(
			oid(2, 5, 29, 17),
			sequence(tagged(0x82, Buffer.from("localhost")), tagged(0x87, Buffer.from(address.split(".").map(Number)))),
		),
	);
	const now = Date.now();
	const certificate = sequence(
		tagged(0xa0, tagged(0x02, Buffer.from([2]))),
		tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
		algorithm,
		name,
		sequence(time(now - DAY), time(now + DAY)),
		name,
		publicKey.export({ type: "spki", format: "der" }),
		tagged(0xa3, extensions),
	);
	const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign("sha256", certificate, privateKey)]));
	const der = sequence(certificate, algorithm, signature)
		.toString("base64")
		.replace(/.{64}(?=.)/g, "$&\n");
	return {
		key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
		cert: `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`,
	};
}

function tagged(tag: number, content: Buffer): Buffer {
	const { length } = content;
	const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
	return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: Buffer[]) => tagged(0x30, Buffer.concat(parts));
const set = (...parts: Buffer[]) => tagged(0x31, Buffer.concat(parts));
const extension = (id: Buffer, content: Buffer) => sequence(id, tagged(0x04, content));

function oid(first: number, second: number, ...rest: number[]): Buffer {
	const bytes = [first * 40 + second];
	for (const part of rest) {
		const groups = [part & 0x7f];
		for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
		bytes.push(...groups);
	}
	return tagged(0x06, Buffer.from(bytes));
}

function time(at: number): Buffer {
	return tagged(0x17, Buffer.from(`${new Date(at).toISOString().replace(/\D/g, "").slice(2, 14)}Z`));
}
