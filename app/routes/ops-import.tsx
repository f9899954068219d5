import { type ActionFunctionArgs, type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { useActionData, useLoaderData, useRevalidator } from "@remix-run/react";
import { useEffect } from "react";
import { ImportReportView } from "../components/ops/imports.tsx";
import { Refused } from "../components/refused.tsx";
import { refuse } from "../contract/refusals.ts";
import { answering, loading } from "./answers.server.ts";
import { administrator, deskWords } from "./operators.server.ts";
import { preferencesOf } from "./preferences.server.ts";

/** While something is going on the page looks again this often, ms. */
const refreshEvery = 2000;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const handle = { always: true };

export async function loader({ request, context, params }: LoaderFunctionArgs) {
	await administrator(context);
	return loading(context, "/ops/imports/:id", async () => {
		const { imports } = context.chat;
		if (!imports || !uuid.test(params.id ?? "")) throw refuse("import-not-found");
		const { language } = preferencesOf(request);
		return { shown: imports.inWords(await imports.one(params.id as string), language), w: deskWords(request) };
	});
}

export async function action({ request, context, params }: ActionFunctionArgs) {
	const me = await administrator(context);
	const verdict = (await request.formData()).get("verdict");
	return answering(context, {}, async () => {
		const { imports } = context.chat;
		if (!imports || !uuid.test(params.id ?? "")) throw refuse("import-not-found");
		if (verdict === "confirm") await imports.confirm(me, params.id as string);
		else if (verdict === "cancel") await imports.cancel(me, params.id as string);
		else throw refuse("malformed");
		throw redirect(`/ops/imports/${params.id}`);
	});
}

export default function OpsImportPage() {
	const { shown, w } = useLoaderData<typeof loader>();
	const answer = useActionData<typeof action>();
	const { revalidate } = useRevalidator();
	const isWorking = shown.state === "checking" || shown.state === "applying";
	useEffect(() => {
		if (!isWorking) return;
		const timer = setInterval(revalidate, refreshEvery);
		return () => clearInterval(timer);
	}, [isWorking, revalidate]);
	return (
		<>
			{answer?.refusal && <Refused refusal={answer.refusal} />}
			<ImportReportView shown={shown} w={w} />
		</>
	);
}
