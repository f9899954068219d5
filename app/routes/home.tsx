import { type ActionFunctionArgs, type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { useActionData, useLoaderData } from "@remix-run/react";
import { FirstScreen } from "../components/first-screen.tsx";
import { lobbyId } from "../contract/fixed.ts";
import { rates } from "../contract/limits.ts";
import { parseForm } from "../contract/parse.ts";
import { answering, loading } from "./answers.server.ts";
import { ownPath } from "./preferences.server.ts";

const lobby = `/rooms/${lobbyId}`;

function destination(request: Request): string {
	const next = ownPath(new URL(request.url).searchParams.get("next"));
	return next === "/" ? lobby : next;
}

export async function loader({ request, context }: LoaderFunctionArgs) {
	return loading(context, "/", async () => {
		if (await context.session()) throw redirect(destination(request));
		const [glimpse, returning] = await Promise.all([context.chat.log.glimpse(), context.auth.returning(request.headers.get("Cookie"))]);
		return { glimpse, returning };
	});
}

export async function action({ request, context }: ActionFunctionArgs) {
	const form = await request.formData();
	const { auth, chat } = context;
	// The name suggested, if its button was pressed, comes after the field.
	const typed = String(form.getAll("name").at(-1) ?? "");
	return answering(
		context,
		{ name: typed.slice(0, 100) },
		async () => {
			const go = (cookies: string[]) =>
				redirect(destination(request), { headers: cookies.map((cookie): [string, string] => ["Set-Cookie", cookie]) });
			if (form.get("intent") === "return") {
				const back = await auth.comeBack(request.headers.get("Cookie"));
				if (back) throw go(back.cookies);
				throw redirect("/");
			}
			const input = parseForm("enter", form);
			context.throttle(rates.enter, `enter ${context.address}`);
			const person = await chat.people.enter(input);
			throw go(await auth.signIn(person));
		},
		{ request, form },
	);
}

export default function Home() {
	const { glimpse, returning } = useLoaderData<typeof loader>();
	const answer = useActionData<typeof action>();
	return <FirstScreen glimpse={glimpse} returning={returning} refusal={answer?.refusal ?? null} name={answer?.name ?? ""} />;
}
