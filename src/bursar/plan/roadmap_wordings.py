"""How people write what a phase waits for, as patterns, in the languages that roadmaps were seen in."""

from __future__ import annotations

import re

from bursar.plan.roadmap_marks import NUMBER

# A phase by its number, and what may follow it: `Phase 1`, then `, 2`, ` and Phase 3`, `-5`; `3 plans` are no phase.
PHASES = r"(?:phases?|phasen|fases?|faser(?:na)?|阶段|階段|단계)"
NO_UNIT = r"(?![ ]*(?:plans?|tasks?|weeks?|days?|hours?|tests?|files?|sprints?|requirements?|waves?|steps?|items?|%))"
FIRST = re.compile(rf"(?<!\w)(?P<word>{PHASES})[ ]*#?(?P<number>{NUMBER})", re.IGNORECASE)
FOLLOWING = re.compile(
    r"[ ]*(?P<how>,[ ]*(?:and|e|y|och|und|et|or|&|\+)[ ]|,|、|，|;(?=[ ]*#?[0-9])|"
    r"(?:and|e|y|och|und|et|or|plus)[ ]|&|\+|/|→|和|与|及|–|—|--?|~|\.\.|"
    r"(?:to|through|thru|until|bis|till|a|até|hasta)[ ]|至|到)"
    rf"[ ]*(?:{PHASES}[ ]*)?#?(?P<number>{NUMBER}){NO_UNIT}(?!/[0-9])",
    re.IGNORECASE,
)
RANGE_SIGNS = frozenset(
    {"–", "—", "-", "--", "~", "..", "to", "through", "thru", "until", "bis", "till", "a", "até", "hasta", "至", "到"}
)
# Whole values that name no phase.
NOTHING = re.compile(
    r"\W*(?:(?:nothing|none|nada|nenhum\w*|ningun[oa]?|n/?a|inga|inget|ingen|keine?|nichts|rien|aucune?|null|nil)\b"
    r"(?!\s+(?:beyond|except|besides|other than)\b)|no (?:dependenc|prior|previous|phases?\b|prereq)|"
    r"first phase\b|无|無|没有|없음|$)",
    re.IGNORECASE,
)
UNDECIDED = re.compile(r"\W*(?:tbd|to be (?:decided|determined|defined)|unknown|todo|\?)", re.IGNORECASE)
# Words before a phase: it is not waited for (`in parallel with Phase 4`), or it is all the same (`after Phase 4`).
SENTENCE_END = re.compile(r"(?<=[\w)])[.;](?:\s+|$)|\s—\s|。|；")
AGAINST = re.compile(
    r"parallel|paralel|independ|unabhängig|oberoende|\bnot\b|\bwithout\b|\bbefore\b|\balongside\b|\bconcurrent|"
    r"\boverlap|\bblocks?\b|\bunlocks?\b|\benables?\b|并行|独立",
    re.IGNORECASE,
)
NOT_BEFORE = re.compile(r"\b(?:not|cannot|never)\s+(?:\w+\s+){0,3}(?:before|until)\b", re.IGNORECASE)
FOR = re.compile(
    r"\b(?:after|once|needs?|requires?|depends?|until|before|upon|following|also|plus|and|"
    r"após|depois|precisa|efter|kräver|nach)\b|依赖",
    re.IGNORECASE,
)
OPTIONAL = re.compile(r"\b(?:optional(?:ly)?|opcional)\b", re.IGNORECASE)
WEAK = re.compile(r"\b(?:if needed|nice to have|soft|recommended|preferably|ideally)\b", re.IGNORECASE)
# Words that stand for several phases, and those that are left out of them.
EXCEPT = re.compile(
    r"\b(?:except|excluding|without|but not|minus|exceto|utom|außer)\s+(?:for\s+)?"
    rf"(?P<list>(?:{PHASES}\s*)?#?{NUMBER}(?:\s*(?:,|and|or|&|\+)\s*(?:{PHASES}\s*)?#?{NUMBER}){{0,20}})",
    re.IGNORECASE,
)
EVERY = re.compile(
    rf"\b(?:all|every|each|todas as|todas las|alla|alle)\b[\w ]{{0,30}}?\b{PHASES}|所有.{{0,6}}阶段", re.IGNORECASE
)
EARLIER = re.compile(
    r"\b(?:previous|prior|earlier|preceding|above|anterior(?:es)?|tidigare|föregående|vorherig\w*)\b|之前|前",
    re.IGNORECASE,
)
ONE_EARLIER = re.compile(
    rf"\b(?:the |a |la )?(?:previous|prior|preceding)\s+{PHASES}\b(?!\w)|\bfase anterior\b|前一阶段|上一阶段",
    re.IGNORECASE,
)
# Values without the word: `1, 2`, `03-login`, `Plan 03-01`, `All checks (2-5)`.
PLURAL = re.compile(r"phases|phasen|fases|faser", re.IGNORECASE)
ANY_NUMBER = re.compile(NUMBER)
BARE_NUMBER = re.compile(rf"(?P<word>)#?(?P<number>{NUMBER})")
PLAN_WORD = re.compile(r"plans?\s+(?=[0-9])", re.IGNORECASE)
PHASE_WORD = re.compile(rf"{PHASES}\s+", re.IGNORECASE)
SLUG = re.compile(r"-[A-Za-z][\w-]*\s*(?:[,;].*)?$", re.DOTALL)
IN_BRACKETS = re.compile(
    rf"[(（]\s*(?:{PHASES}\s*)?(?P<list>#?{NUMBER}(?:\s*(?:[,、&+–—-]|and|to|through|e|und)\s*#?{NUMBER}){{0,60}})\s*[)）]",
    re.IGNORECASE,
)
DONE_WORDS = re.compile(
    r"\s*(?:(?:is |are |must be )?(?:completed?|done|shipped|finished|merged|完成))?\s*[.]?\s*", re.IGNORECASE
)
BRACKETS = re.compile(r"[()（）]")
