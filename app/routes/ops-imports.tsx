import type { LoaderFunctionArgs } from "@remix-run/node";
import { useLoaderData, useNavigate, useRevalidator } from "@remix-run/react";
import { DropZone } from "../components/ops/drop-zone.tsx";
import { ImportList } from "../components/ops/imports.tsx";
import { loading } from "./answers.server.ts";
import { administrator, deskWords } from "./operators.server.ts";

/** What a file may have, MB: lambdas/upload/read-import.ts refuses more. */
const limitMb = 200;

export const handle = { always: true };

export async function loader({ request, context }: LoaderFunctionArgs) {
	await administrator(context);
	return loading(context, "/ops/imports", async () => ({
		imports: (await context.chat.imports?.list()) ?? null,
		w: deskWords(request),
	}));
}

export default function OpsImportsPage() {
	const { imports, w } = useLoaderData<typeof loader>();
	const navigate = useNavigate();
	const { revalidate } = useRevalidator();
	if (!imports)
		return (
			<>
				<h2>{w.off}</h2>
				<p>{w.offText}</p>
			</>
		);
	return (
		<>
			<h2>{w.imports}</h2>
			<DropZone limitMb={limitMb} w={w} onDone={(id) => (id ? navigate(`/ops/imports/${id}`) : revalidate())} />
			<p>{w.dropFolder}</p>
			<ImportList imports={imports} w={w} />
		</>
	);
}
