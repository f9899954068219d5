import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { isLanguage, type Language } from "../contract/language.ts";
import type { Person } from "../contract/shapes.ts";
import type { Sql } from "../storage/sql.ts";
import { readCookies } from "./cookies.ts";
import { openOwner } from "./owner.ts";

export { readCookies } from "./cookies.ts";
export { openBuckets, openThrottle, type Throttle } from "./throttle.ts";

/** Who is asking, and by which session. */
export type Session = {
	me: Person;
	tokenHash: Buffer;
	language: Language | null;
	isAdmin: boolean;
	/** Whether it is a day since it was last renewed. */
	isDue: boolean;
};

type Purpose = "session" | "return";

// A guest's session, and its cookie, last 30 days (product decisions, 4.3); being used renews it, at most once a day. Over, it opens
// nothing any more, but for another 60 days its browser may come back as the same person: a guest has no password to do it with.
// For that a cookie of its own is there from the beginning. The version before kept a session's own cookie for so long.
const lifetimeDays = { session: 30, return: 90 };
const lapsedDays = 60;

/**
 * Sessions of guests. The cookie is `token.signature`: 256 random bits, of which the database holds only the SHA-256,
 * and an HMAC that turns forged cookies away without asking the database.
 */
export function openAuth(given: { sql: Sql; secret: string; secure: boolean }) {
	const { sql, secret, secure } = given;
	// __Host- binds the cookie to this host and to https; browsers refuse the prefix without https.
	const names: Record<Purpose, string> = secure ? { session: "__Host-sid", return: "__Host-return" } : { session: "sid", return: "return" };

	const sign = (token: string) => createHmac("sha256", secret).update(token).digest("base64url").slice(0, 22);
	const hash = (token: string) => createHash("sha256").update(token).digest();

	function tokenIn(cookieHeader: string | undefined | null, purpose: Purpose): string | null {
		const value = readCookies(cookieHeader)[names[purpose]];
		const [token, signature] = value?.split(".") ?? [];
		if (!token || !signature) return null;
		const expected = Buffer.from(sign(token));
		const given = Buffer.from(signature);
		return given.length === expected.length && timingSafeEqual(given, expected) ? token : null;
	}

	function cookie(purpose: Purpose, value: string, days: number): string {
		const age = Math.round(days * 86_400);
		return `${names[purpose]}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${age}${secure ? "; Secure" : ""}`;
	}

	async function keep(userId: string, token: string, purpose: Purpose): Promise<string> {
		await sql.query(
			"session-keep",
			`insert into session (token_hash, user_id, purpose, expires_at) values ($1, $2, $3, now() + make_interval(days => $4))
       on conflict (token_hash) do update set expires_at = excluded.expires_at`,
			[hash(token), userId, purpose, lifetimeDays[purpose]],
		);
		return cookie(purpose, `${token}.${sign(token)}`, lifetimeDays[purpose]);
	}

	/** The way back belongs to its session: whoever ends that, or renews it, can name it without being shown it. */
	const wayBackOf = (tokenHash: Buffer) => createHmac("sha256", secret).update("return ").update(tokenHash).digest("base64url");

	async function begin(userId: string): Promise<string[]> {
		const token = randomBytes(32).toString("base64url");
		return [await keep(userId, token, "session"), await keep(userId, wayBackOf(hash(token)), "return")];
	}

	/** What lets this browser come back as somebody: the token left on leaving, or a session that ran out. */
	async function wayBack(cookieHeader: string | undefined | null): Promise<{ tokenHash: Buffer; me: Person } | null> {
		const left = tokenIn(cookieHeader, "return");
		const known = left ? await personOf(left, "return") : null;
		if (left && known) return { tokenHash: hash(left), me: known.me };
		const session = tokenIn(cookieHeader, "session");
		if (!session) return null;
		const [row] = await sql.query<{ id: string; display_name: string }>(
			"session-lapsed",
			`select u.id, u.display_name from session s join app_user u on u.id = s.user_id
       where s.token_hash = $1 and s.purpose = 'session' and s.expires_at <= now() and s.expires_at > now() - make_interval(days => $2)`,
			[hash(session), lapsedDays],
		);
		return row ? { tokenHash: hash(session), me: { id: row.id, name: row.display_name } } : null;
	}

	async function personOf(token: string, purpose: Purpose): Promise<{ me: Person; isAdmin: boolean; isDue: boolean } | null> {
		const [row] = await sql.query<{ id: string; display_name: string; is_admin: boolean; is_due: boolean }>(
			"session-person",
			`select u.id, u.display_name, u.is_admin, s.expires_at < now() + make_interval(days => $3) - interval '1 day' is_due from session s join app_user u on u.id = s.user_id
       where s.token_hash = $1 and s.purpose = $2 and s.expires_at > now()`,
			[hash(token), purpose, lifetimeDays[purpose]],
		);
		return row ? { me: { id: row.id, name: row.display_name }, isAdmin: row.is_admin, isDue: row.is_due } : null;
	}

	return {
		...openOwner({ sql }),
		/** Who a Cookie header belongs to, or null. Serves HTTP requests and socket handshakes alike. */
		async whoIs(cookieHeader: string | undefined | null): Promise<Session | null> {
			const token = tokenIn(cookieHeader, "session");
			if (!token) return null;
			const known = await personOf(token, "session");
			const language = readCookies(cookieHeader).lang;
			return known ? { ...known, tokenHash: hash(token), language: isLanguage(language) ? language : null } : null;
		},
		/** Signs somebody in; the Set-Cookie headers to answer with. */
		async signIn(person: Person): Promise<string[]> {
			return begin(person.id);
		},
		/** Whom this browser may come back as, after leaving or after a session ran out; or null. */
		async returning(cookieHeader: string | undefined | null): Promise<Person | null> {
			return (await wayBack(cookieHeader))?.me ?? null;
		},
		/** Comes back as that person. What let them is spent by it. Null when there is none. */
		async comeBack(cookieHeader: string | undefined | null): Promise<{ me: Person; cookies: string[] } | null> {
			const way = await wayBack(cookieHeader);
			if (!way) return null;
			const spent = await sql.query("session-spend", "delete from session where token_hash = $1 returning user_id", [way.tokenHash]);
			if (spent.length === 0) return null;
			// A session that ran out would be another way back to the same.
			const session = tokenIn(cookieHeader, "session");
			if (session) await sql.query("session-delete", "delete from session where token_hash = $1", [hash(session)]);
			return { me: way.me, cookies: await begin(way.me.id) };
		},
		/** Ends a session and leaves the way back open in this browser only. */
		async leave(session: Session): Promise<string[]> {
			await sql.query("session-delete", "delete from session where token_hash = $1", [session.tokenHash]);
			return [cookie("session", "", 0), await keep(session.me.id, wayBackOf(session.tokenHash), "return")];
		},
		/** Those of these sessions that are over: left, taken back, or run out. */
		async endedOf(hashes: readonly Buffer[]): Promise<Buffer[]> {
			const rows = await sql.query<{ hash: Buffer }>(
				"session-ended",
				`select h.hash from unnest($1::bytea[]) h(hash)
         where not exists (select 1 from session s where s.token_hash = h.hash and s.purpose = 'session' and s.expires_at > now())`,
				[hashes],
			);
			return rows.map((row) => row.hash);
		},
		/** Deletes what is of no more use; called now and then. */
		async sweep(): Promise<void> {
			await sql.query(
				"session-sweep",
				"delete from session where expires_at < now() - make_interval(days => case purpose when 'session' then $1::int else 0 end)",
				[lapsedDays],
			);
		},
		/** Renews a session that is older than a day, so that whoever comes back regularly stays signed in. */
		async renew(session: Session, cookieHeader: string | undefined): Promise<string[]> {
			const rows = await sql.query(
				"session-renew",
				`update session set expires_at = now() + make_interval(days => $2)
         where token_hash = $1 and expires_at < now() + make_interval(days => $2) - interval '1 day' returning user_id`,
				[session.tokenHash, lifetimeDays.session],
			);
			const value = readCookies(cookieHeader)[names.session];
			if (rows.length === 0) return [];
			const back = await keep(session.me.id, wayBackOf(session.tokenHash), "return");
			return value ? [cookie("session", value, lifetimeDays.session), back] : [];
		},
	};
}

export type Auth = ReturnType<typeof openAuth>;
