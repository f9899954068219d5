import type { RefusalCode, RefusalDetails } from "../contract/refusals.ts";
import { useWords } from "../words/use-words.tsx";

export type RefusalShown = { code: RefusalCode; details: RefusalDetails };

/** Why a form was turned down, where the form is. `id` ties it to the field it is about. */
export function Refused({ refusal, id }: { refusal: RefusalShown | null; id?: string }) {
	const { refused } = useWords();
	if (!refusal) return null;
	return (
		<p className="refused" role="alert" id={id}>
			{refused(refusal.code, refusal.details)}
		</p>
	);
}
