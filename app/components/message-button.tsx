import { Form } from "@remix-run/react";
import type { Person } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";

/** Opens the direct conversation with somebody. */
export function MessageButton({ person }: { person: Person }) {
	const { t } = useWords();
	return (
		<Form method="post" action="/people">
			<button
				type="submit"
				className="button button-quiet button-small"
				name="userId"
				value={person.id}
				aria-label={t("members.messageName", { name: person.name })}
			>
				{t("members.message")}
			</button>
		</Form>
	);
}
