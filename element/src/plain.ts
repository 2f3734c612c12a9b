/** Short texts that others write where trust is placed: titles, badges, the words of a link. */

/** What is not seen, but Arabic and Syriac signs of numbers, which are. */
const UNSEEN =
  /(?![\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u200c\u200d])[\p{Cf}\u115f\u1160\u3164\uffa0]/gu;
/** Joiners mean something after letters that join, and in an emoji; elsewhere they only hide. */
const JOINER =
  /(?<=^|[\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{N}\p{P}\p{Z}\u200c\u200d])[\u200c\u200d]/gu;

/** The text without what is not seen: nothing in it turns other words round, or hides between them. */
export function plain(text: string): string {
  return text.replace(UNSEEN, "").replace(JOINER, "");
}
