"""What messages call the kinds of errors and values, and the words that people write in the place of ours."""

from devices.language.profile import CODEC_NAME
from devices.register import IDENTIFIER, LINE, PLACE, TAG_VALUE, WORDS

LIST = "a list"
MAPPING = "keys with values"
TEXT = "a text"

EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "byte_size": "a size such as 500MB or 2GB",
    "byte_size_unit": "a size such as 500MB or 2GB",
    "dict_type": MAPPING,
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "more than {gt:,}",
    "greater_than_equal": "at least {ge:,}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "less than {lt:,}",
    "less_than_equal": "at most {le:,}",
    "list_type": LIST,
    "literal_error": "{expected}",
    "model_attributes_type": MAPPING,
    "model_type": MAPPING,
    "path_type": "a path",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "a text that is not empty",
    "string_type": TEXT,
    "too_long": "at most {max_length} entries",
    "too_short": "at least {min_length} entries",
    "union_tag_invalid": "one of {expected_tags}",
}
"""Pydantic's types of errors, and what was expected; in braces what the error knows."""

PATTERNS = {
    IDENTIFIER: "letters a-z, digits and . _ - with a letter or digit in front",
    LINE: "a text of one line without spaces around it",
    CODEC_NAME: "the name of a .js file beside the profile",
    PLACE: "a text without , = + # / \\ and without spaces around it",
    TAG_VALUE: "a text of one line without \\ and without spaces around it",
    WORDS: "a text without control characters",
}
ANOTHER_KIND = frozenset(kind for kind in EXPECTED if kind.endswith(("_type", "_parsing")))
"""Pydantic's types of errors about values of another kind altogether."""

SCALAR_KINDS = frozenset({"bool_type", "string_type"})
SCALAR = "a number, a text, true or false"
NO_NUMBER = "a text, true or false"

SYNONYMS = {
    **dict.fromkeys(("notice", "debug", "none", "提示"), "info"),
    **dict.fromkeys(("low", "warn", "warning", "normal", "一般", "次要"), "minor"),
    **dict.fromkeys(("medium", "high", "error", "important", "重要", "主要"), "major"),
    **dict.fromkeys(("urgent", "fatal", "emergency", "highest", "紧急", "严重"), "critical"),
    **dict.fromkeys(("lock", "reader", "access", "门", "门禁"), "door"),
    **dict.fromkeys(("electric", "power_meter", "energy_meter", "电表"), "electricity_meter"),
    "水表": "water_meter",
    "传感器": "sensor",
    "网关": "gateway",
}
"""Words that people write where others are expected."""

KEY_SYNONYMS = {
    "and": "all",
    "or": "any",
    **dict.fromkeys(("duration", "delay", "longer_than", "hold_for"), "for"),
    **dict.fromkeys(("expr", "trigger", "triggers", "if", "condition", "conditions"), "when"),
    **dict.fromkeys(("alias", "description", "summary"), "name"),
    **dict.fromkeys(("action", "actions", "annotations", "then"), "ticket"),
    **dict.fromkeys(("priority", "level", "labels"), "severity"),
    **dict.fromkeys(("offline", "no_data", "nodata", "absent", "missing"), "silent"),
    **dict.fromkeys(("over", "max", "maximum", "gt", "greater_than", "more_than"), "above"),
    **dict.fromkeys(("under", "min", "minimum", "lt", "less_than"), "below"),
    **dict.fromkeys(("equal", "eq", "is", "value"), "equals"),
    **dict.fromkeys(("window", "period"), "within"),
    **dict.fromkeys(("every", "each", "period"), "per"),
    "alert": "id",
    "groups": "rules",
    "filter": "select",
    "count": "at_least",
}
"""Keys that people write, as other systems call things, and what they mean here where it is known."""

VERY_NEAR = 0.85
"""How like a known key must be what is surely a slip of the finger."""

OWNERS_SHOWN = 3
"""Most places that a hint names for a key that stands too far out."""

FULL_WIDTH = "type { } [ ] and not ｛ ｝ ［ ］"
