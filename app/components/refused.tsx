import { type RefusalCode, type RefusalDetails, refusalWords } from "../contract/refusals.ts";
import { useWords } from "../words/use-words.tsx";

export type RefusalShown = { code: RefusalCode; details: RefusalDetails };

/** Why a form was turned down, where the form is. `id` ties it to the field it is about. */
export function Refused({ refusal, id }: { refusal: RefusalShown | null; id?: string }) {
	const { language } = useWords();
	if (!refusal) return null;
	return (
		<p className="refused" role="alert" id={id}>
			{refusalWords(refusal.code, language, refusal.details)}
		</p>
	);
}
