import { type ActionFunctionArgs, type LoaderFunctionArgs, type MetaFunction, redirect } from "@remix-run/node";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { Refused } from "../components/refused.tsx";
import { answering, loading, sender, signedIn } from "./answers.server.ts";
import { opsWords } from "./operators.server.ts";

export const meta: MetaFunction = () => [{ title: "Charla" }, { name: "referrer", content: "no-referrer" }];

export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const me = await signedIn(context, request);
	return loading(context, "/owner/:token", async () => ({
		name: me.name,
		isOpen: await context.auth.isOwnerToken(params.token ?? ""),
		w: opsWords(request),
	}));
}

/** Only the button makes an owner: a link that is merely looked at, by a preview or a scanner, changes nothing. */
export async function action({ context, params }: ActionFunctionArgs) {
	return answering(context, {}, async () => {
		const me = await sender(context);
		await context.auth.becomeOwner(me, params.token ?? "");
		throw redirect("/ops");
	});
}

export default function OwnerPage() {
	const { name, isOpen, w } = useLoaderData<typeof loader>();
	const answer = useActionData<typeof action>();
	return (
		<main className="owner-page">
			<h1>{w.ownerTitle}</h1>
			{answer?.refusal && <Refused refusal={answer.refusal} />}
			{isOpen ? (
				<Form method="post">
					<p>{w.ownerText.replace("{name}", name)}</p>
					<button className="button" type="submit">
						{w.ownerGo}
					</button>
				</Form>
			) : (
				<p>{w.ownerSpent}</p>
			)}
			<p>
				<a href="/rooms">{w.back}</a>
			</p>
		</main>
	);
}
