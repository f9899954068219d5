import { type ActionFunctionArgs, type LinksFunction, type LoaderFunctionArgs, type MetaFunction, redirect } from "@remix-run/node";
import { Form, NavLink, Outlet, useLoaderData, useMatches, useRevalidator } from "@remix-run/react";
import { useEffect, useState } from "react";
import styles from "../styles/ops.css?url";
import { administrator, deskWords, operators, opsWords } from "./operators.server.ts";

export const links: LinksFunction = () => [{ rel: "stylesheet", href: styles }];
export const meta: MetaFunction<typeof loader> = ({ data }) => [
	{ title: `${data?.w.title ?? ""} · Charla` },
	{ name: "robots", content: "noindex" },
];

/** How often the pages look again while somebody looks at them, ms: as often as there are new numbers. */
const refreshEvery = 5000;

export async function loader({ request, context }: LoaderFunctionArgs) {
	const isOn = (await operators(context)) !== null;
	const { activity, imports } = deskWords(request);
	return { isOn, desk: { activity, imports }, w: opsWords(request), lost: new URL(request.url).searchParams.has("lost") };
}

/** Looks for what was pasted: a reference, a trace, a message's id or its link. */
export async function action({ request, context }: ActionFunctionArgs) {
	const [me, ops] = [await administrator(context), context.ops];
	const text = String((await request.formData()).get("find") ?? "")
		.trim()
		.slice(0, 300);
	const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;
	const permalink = new RegExp(`/rooms/(${uuid.source})(?:/messages/|[^#]*#m)(\\d+)`, "i").exec(text);
	if (permalink && ops) {
		const stretch = await context.chat.messages
			.stretch(me, { roomId: permalink[1] as string, around: Number(permalink[2]) })
			.catch(() => null);
		const message = stretch?.messages.find((each) => each.seq === Number(permalink[2]));
		throw redirect(message ? `/ops/messages/${message.clientId}` : "/ops?lost");
	}
	const id = uuid.exec(text)?.[0];
	if (id) throw redirect(`/ops/messages/${id.toLowerCase()}`);
	const trace = /[0-9a-f]{6,32}/i.exec(text)?.[0]?.toLowerCase();
	const found = trace ? await ops?.trace(trace) : null;
	throw redirect(found ? `/ops/traces/${found.traceId}` : "/ops?lost");
}

export default function OpsPage() {
	const { isOn, desk, w, lost } = useLoaderData<typeof loader>();
	const { revalidate } = useRevalidator();
	const isAlways = useMatches().some((match) => (match.handle as { always?: boolean } | undefined)?.always);
	const [isPaused, setPaused] = useState(false);
	useEffect(() => {
		if (isPaused || !(isOn || isAlways)) return;
		const timer = setInterval(() => document.visibilityState === "visible" && revalidate(), refreshEvery);
		return () => clearInterval(timer);
	}, [isPaused, isOn, isAlways, revalidate]);
	return (
		<div className="ops">
			<header className="ops-head">
				<a href="/rooms">← {w.back}</a>
				<h1>{w.title}</h1>
				<nav aria-label={w.title}>
					<NavLink to="/ops" end>
						{w.now}
					</NavLink>
					<NavLink to="/ops/traces">{w.traces}</NavLink>
					<NavLink to="/ops/logs">{w.logs}</NavLink>
					<NavLink to="/ops/sockets">{w.sockets}</NavLink>
					<NavLink to="/ops/activity">{desk.activity}</NavLink>
					<NavLink to="/ops/imports">{desk.imports}</NavLink>
				</nav>
				<Form method="post" action="/ops" role="search" className="ops-find">
					<input name="find" aria-label={w.find} placeholder={w.find} autoComplete="off" required />
					<button type="submit" className="button">
						{w.go}
					</button>
				</Form>
			</header>
			<main>
				{lost && <p role="alert">{w.notFound}</p>}
				{isOn || isAlways ? (
					<>
						<p className="ops-live">
							{w.live}{" "}
							<button
								type="button"
								className="button button-small button-quiet"
								aria-pressed={isPaused}
								onClick={() => setPaused(!isPaused)}
							>
								{isPaused ? w.resume : w.pause}
							</button>
						</p>
						<Outlet />
					</>
				) : (
					<section>
						<h2>{w.off}</h2>
						<p>{w.offHow}</p>
					</section>
				)}
			</main>
		</div>
	);
}
