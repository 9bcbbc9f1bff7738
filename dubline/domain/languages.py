"""The languages Dubline speaks of, and what each standard calls them: those of Whisper and of NLLB-200 together.

`code` is what people type: ISO 639-1 where it has a code, otherwise ISO 639-3; a second script of a language adds its
own (`zh-hant`). `iso3` is what media containers carry: ISO 639-2/T, or ISO 639-3 for what that standard leaves out.
`flores` is the token NLLB-200 is forced to begin with (ISO 639-3 and script, as its tokenizer spells it), `whisper`
the name of the language in Whisper's tokens. None means that the model does not know the language.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from dubline.domain.errors import UnsupportedLanguage


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    name: str
    iso3: str
    flores: str | None
    whisper: str | None = None


# Where NLLB has several varieties under one ISO 639-1 code, the code means the one with most speakers or the standard.
_TABLE = (
    Language("ace", "Acehnese", "ace", "ace_Latn"),
    Language("ace-arab", "Acehnese (Arabic script)", "ace", "ace_Arab"),
    Language("acm", "Arabic (Mesopotamian)", "acm", "acm_Arab"),
    Language("acq", "Arabic (Ta'izzi-Adeni)", "acq", "acq_Arab"),
    Language("aeb", "Arabic (Tunisian)", "aeb", "aeb_Arab"),
    Language("af", "Afrikaans", "afr", "afr_Latn", "af"),
    Language("ajp", "Arabic (South Levantine)", "ajp", "ajp_Arab"),
    Language("ak", "Akan", "aka", "aka_Latn"),
    Language("am", "Amharic", "amh", "amh_Ethi", "am"),
    Language("apc", "Arabic (North Levantine)", "apc", "apc_Arab"),
    Language("ar", "Arabic", "ara", "arb_Arab", "ar"),
    Language("ars", "Arabic (Najdi)", "ars", "ars_Arab"),
    Language("ary", "Arabic (Moroccan)", "ary", "ary_Arab"),
    Language("arz", "Arabic (Egyptian)", "arz", "arz_Arab"),
    Language("as", "Assamese", "asm", "asm_Beng", "as"),
    Language("ast", "Asturian", "ast", "ast_Latn"),
    Language("awa", "Awadhi", "awa", "awa_Deva"),
    Language("ay", "Aymara", "aym", "ayr_Latn"),
    Language("az", "Azerbaijani", "aze", "azj_Latn", "az"),
    Language("azb", "Azerbaijani (South)", "azb", "azb_Arab"),
    Language("ba", "Bashkir", "bak", "bak_Cyrl", "ba"),
    Language("ban", "Balinese", "ban", "ban_Latn"),
    Language("be", "Belarusian", "bel", "bel_Cyrl", "be"),
    Language("bem", "Bemba", "bem", "bem_Latn"),
    Language("bg", "Bulgarian", "bul", "bul_Cyrl", "bg"),
    Language("bho", "Bhojpuri", "bho", "bho_Deva"),
    Language("bjn", "Banjar", "bjn", "bjn_Latn"),
    Language("bjn-arab", "Banjar (Arabic script)", "bjn", "bjn_Arab"),
    Language("bm", "Bambara", "bam", "bam_Latn"),
    Language("bn", "Bengali", "ben", "ben_Beng", "bn"),
    Language("bo", "Tibetan", "bod", "bod_Tibt", "bo"),
    Language("br", "Breton", "bre", None, "br"),
    Language("bs", "Bosnian", "bos", "bos_Latn", "bs"),
    Language("bug", "Buginese", "bug", "bug_Latn"),
    Language("ca", "Catalan", "cat", "cat_Latn", "ca"),
    Language("ceb", "Cebuano", "ceb", "ceb_Latn"),
    Language("cjk", "Chokwe", "cjk", "cjk_Latn"),
    Language("ckb", "Kurdish (Central)", "ckb", "ckb_Arab"),
    Language("crh", "Crimean Tatar", "crh", "crh_Latn"),
    Language("cs", "Czech", "ces", "ces_Latn", "cs"),
    Language("cy", "Welsh", "cym", "cym_Latn", "cy"),
    Language("da", "Danish", "dan", "dan_Latn", "da"),
    Language("de", "German", "deu", "deu_Latn", "de"),
    Language("din", "Dinka", "din", "dik_Latn"),
    Language("dyu", "Dyula", "dyu", "dyu_Latn"),
    Language("dz", "Dzongkha", "dzo", "dzo_Tibt"),
    Language("ee", "Ewe", "ewe", "ewe_Latn"),
    Language("el", "Greek", "ell", "ell_Grek", "el"),
    Language("en", "English", "eng", "eng_Latn", "en"),
    Language("eo", "Esperanto", "epo", "epo_Latn"),
    Language("es", "Spanish", "spa", "spa_Latn", "es"),
    Language("et", "Estonian", "est", "est_Latn", "et"),
    Language("eu", "Basque", "eus", "eus_Latn", "eu"),
    Language("fa", "Persian", "fas", "pes_Arab", "fa"),
    Language("ff", "Fulah", "ful", "fuv_Latn"),
    Language("fi", "Finnish", "fin", "fin_Latn", "fi"),
    Language("fj", "Fijian", "fij", "fij_Latn"),
    Language("fo", "Faroese", "fao", "fao_Latn", "fo"),
    Language("fon", "Fon", "fon", "fon_Latn"),
    Language("fr", "French", "fra", "fra_Latn", "fr"),
    Language("fur", "Friulian", "fur", "fur_Latn"),
    Language("ga", "Irish", "gle", "gle_Latn"),
    Language("gd", "Scottish Gaelic", "gla", "gla_Latn"),
    Language("gl", "Galician", "glg", "glg_Latn", "gl"),
    Language("gn", "Guarani", "grn", "grn_Latn"),
    Language("gu", "Gujarati", "guj", "guj_Gujr", "gu"),
    Language("ha", "Hausa", "hau", "hau_Latn", "ha"),
    Language("haw", "Hawaiian", "haw", None, "haw"),
    Language("he", "Hebrew", "heb", "heb_Hebr", "he"),
    Language("hi", "Hindi", "hin", "hin_Deva", "hi"),
    Language("hne", "Chhattisgarhi", "hne", "hne_Deva"),
    Language("hr", "Croatian", "hrv", "hrv_Latn", "hr"),
    Language("ht", "Haitian Creole", "hat", "hat_Latn", "ht"),
    Language("hu", "Hungarian", "hun", "hun_Latn", "hu"),
    Language("hy", "Armenian", "hye", "hye_Armn", "hy"),
    Language("id", "Indonesian", "ind", "ind_Latn", "id"),
    Language("ig", "Igbo", "ibo", "ibo_Latn"),
    Language("ilo", "Ilocano", "ilo", "ilo_Latn"),
    Language("is", "Icelandic", "isl", "isl_Latn", "is"),
    Language("it", "Italian", "ita", "ita_Latn", "it"),
    Language("ja", "Japanese", "jpn", "jpn_Jpan", "ja"),
    Language("jv", "Javanese", "jav", "jav_Latn", "jw"),
    Language("ka", "Georgian", "kat", "kat_Geor", "ka"),
    Language("kab", "Kabyle", "kab", "kab_Latn"),
    Language("kac", "Jingpho", "kac", "kac_Latn"),
    Language("kam", "Kamba", "kam", "kam_Latn"),
    Language("kbp", "Kabiye", "kbp", "kbp_Latn"),
    Language("kea", "Kabuverdianu", "kea", "kea_Latn"),
    Language("kg", "Kongo", "kon", "kon_Latn"),
    Language("ki", "Kikuyu", "kik", "kik_Latn"),
    Language("kk", "Kazakh", "kaz", "kaz_Cyrl", "kk"),
    Language("km", "Khmer", "khm", "khm_Khmr", "km"),
    Language("kmb", "Kimbundu", "kmb", "kmb_Latn"),
    Language("kn", "Kannada", "kan", "kan_Knda", "kn"),
    Language("ko", "Korean", "kor", "kor_Hang", "ko"),
    Language("kr", "Kanuri", "kau", "knc_Latn"),
    Language("kr-arab", "Kanuri (Arabic script)", "kau", "knc_Arab"),
    Language("ks", "Kashmiri", "kas", "kas_Arab"),
    Language("ks-deva", "Kashmiri (Devanagari script)", "kas", "kas_Deva"),
    Language("ku", "Kurdish (Northern)", "kur", "kmr_Latn"),
    Language("ky", "Kyrgyz", "kir", "kir_Cyrl"),
    Language("la", "Latin", "lat", None, "la"),
    Language("lb", "Luxembourgish", "ltz", "ltz_Latn", "lb"),
    Language("lg", "Ganda", "lug", "lug_Latn"),
    Language("li", "Limburgish", "lim", "lim_Latn"),
    Language("lij", "Ligurian", "lij", "lij_Latn"),
    Language("lmo", "Lombard", "lmo", "lmo_Latn"),
    Language("ln", "Lingala", "lin", "lin_Latn", "ln"),
    Language("lo", "Lao", "lao", "lao_Laoo", "lo"),
    Language("lt", "Lithuanian", "lit", "lit_Latn", "lt"),
    Language("ltg", "Latgalian", "ltg", "ltg_Latn"),
    Language("lua", "Luba-Kasai", "lua", "lua_Latn"),
    Language("luo", "Luo", "luo", "luo_Latn"),
    Language("lus", "Mizo", "lus", "lus_Latn"),
    Language("lv", "Latvian", "lav", "lvs_Latn", "lv"),
    Language("mag", "Magahi", "mag", "mag_Deva"),
    Language("mai", "Maithili", "mai", "mai_Deva"),
    Language("mg", "Malagasy", "mlg", "plt_Latn", "mg"),
    Language("mi", "Maori", "mri", "mri_Latn", "mi"),
    Language("min", "Minangkabau", "min", "min_Latn"),
    Language("mk", "Macedonian", "mkd", "mkd_Cyrl", "mk"),
    Language("ml", "Malayalam", "mal", "mal_Mlym", "ml"),
    Language("mn", "Mongolian", "mon", "khk_Cyrl", "mn"),
    Language("mni", "Manipuri", "mni", "mni_Beng"),
    Language("mos", "Mossi", "mos", "mos_Latn"),
    Language("mr", "Marathi", "mar", "mar_Deva", "mr"),
    Language("ms", "Malay", "msa", "zsm_Latn", "ms"),
    Language("mt", "Maltese", "mlt", "mlt_Latn", "mt"),
    Language("my", "Burmese", "mya", "mya_Mymr", "my"),
    Language("ne", "Nepali", "nep", "npi_Deva", "ne"),
    Language("nl", "Dutch", "nld", "nld_Latn", "nl"),
    Language("nn", "Norwegian Nynorsk", "nno", "nno_Latn", "nn"),
    Language("no", "Norwegian", "nor", "nob_Latn", "no"),
    Language("nso", "Northern Sotho", "nso", "nso_Latn"),
    Language("nus", "Nuer", "nus", "nus_Latn"),
    Language("ny", "Nyanja", "nya", "nya_Latn"),
    Language("oc", "Occitan", "oci", "oci_Latn", "oc"),
    Language("om", "Oromo", "orm", "gaz_Latn"),
    Language("or", "Odia", "ori", "ory_Orya"),
    Language("pa", "Punjabi", "pan", "pan_Guru", "pa"),
    Language("pag", "Pangasinan", "pag", "pag_Latn"),
    Language("pap", "Papiamento", "pap", "pap_Latn"),
    Language("pl", "Polish", "pol", "pol_Latn", "pl"),
    Language("prs", "Dari", "prs", "prs_Arab"),
    Language("ps", "Pashto", "pus", "pbt_Arab", "ps"),
    Language("pt", "Portuguese", "por", "por_Latn", "pt"),
    Language("qu", "Quechua", "que", "quy_Latn"),
    Language("rn", "Rundi", "run", "run_Latn"),
    Language("ro", "Romanian", "ron", "ron_Latn", "ro"),
    Language("ru", "Russian", "rus", "rus_Cyrl", "ru"),
    Language("rw", "Kinyarwanda", "kin", "kin_Latn"),
    Language("sa", "Sanskrit", "san", "san_Deva", "sa"),
    Language("sat", "Santali", "sat", "sat_Beng"),
    Language("sc", "Sardinian", "srd", "srd_Latn"),
    Language("scn", "Sicilian", "scn", "scn_Latn"),
    Language("sd", "Sindhi", "snd", "snd_Arab", "sd"),
    Language("sg", "Sango", "sag", "sag_Latn"),
    Language("shn", "Shan", "shn", "shn_Mymr"),
    Language("si", "Sinhala", "sin", "sin_Sinh", "si"),
    Language("sk", "Slovak", "slk", "slk_Latn", "sk"),
    Language("sl", "Slovenian", "slv", "slv_Latn", "sl"),
    Language("sm", "Samoan", "smo", "smo_Latn"),
    Language("sn", "Shona", "sna", "sna_Latn", "sn"),
    Language("so", "Somali", "som", "som_Latn", "so"),
    Language("sq", "Albanian", "sqi", "als_Latn", "sq"),
    Language("sr", "Serbian", "srp", "srp_Cyrl", "sr"),
    Language("ss", "Swati", "ssw", "ssw_Latn"),
    Language("st", "Southern Sotho", "sot", "sot_Latn"),
    Language("su", "Sundanese", "sun", "sun_Latn", "su"),
    Language("sv", "Swedish", "swe", "swe_Latn", "sv"),
    Language("sw", "Swahili", "swa", "swh_Latn", "sw"),
    Language("szl", "Silesian", "szl", "szl_Latn"),
    Language("ta", "Tamil", "tam", "tam_Taml", "ta"),
    Language("taq", "Tamasheq", "taq", "taq_Latn"),
    Language("taq-tfng", "Tamasheq (Tifinagh script)", "taq", "taq_Tfng"),
    Language("te", "Telugu", "tel", "tel_Telu", "te"),
    Language("tg", "Tajik", "tgk", "tgk_Cyrl", "tg"),
    Language("th", "Thai", "tha", "tha_Thai", "th"),
    Language("ti", "Tigrinya", "tir", "tir_Ethi"),
    Language("tk", "Turkmen", "tuk", "tuk_Latn", "tk"),
    Language("tl", "Tagalog", "tgl", "tgl_Latn", "tl"),
    Language("tn", "Tswana", "tsn", "tsn_Latn"),
    Language("tpi", "Tok Pisin", "tpi", "tpi_Latn"),
    Language("tr", "Turkish", "tur", "tur_Latn", "tr"),
    Language("ts", "Tsonga", "tso", "tso_Latn"),
    Language("tt", "Tatar", "tat", "tat_Cyrl", "tt"),
    Language("tum", "Tumbuka", "tum", "tum_Latn"),
    Language("tw", "Twi", "twi", "twi_Latn"),
    Language("tzm", "Central Atlas Tamazight", "tzm", "tzm_Tfng"),
    Language("ug", "Uyghur", "uig", "uig_Arab"),
    Language("uk", "Ukrainian", "ukr", "ukr_Cyrl", "uk"),
    Language("umb", "Umbundu", "umb", "umb_Latn"),
    Language("ur", "Urdu", "urd", "urd_Arab", "ur"),
    Language("uz", "Uzbek", "uzb", "uzn_Latn", "uz"),
    Language("vec", "Venetian", "vec", "vec_Latn"),
    Language("vi", "Vietnamese", "vie", "vie_Latn", "vi"),
    Language("war", "Waray", "war", "war_Latn"),
    Language("wo", "Wolof", "wol", "wol_Latn"),
    Language("xh", "Xhosa", "xho", "xho_Latn"),
    Language("yi", "Yiddish", "yid", "ydd_Hebr", "yi"),
    Language("yo", "Yoruba", "yor", "yor_Latn", "yo"),
    Language("yue", "Cantonese", "yue", "yue_Hant", "yue"),
    Language("zh", "Chinese", "zho", "zho_Hans", "zh"),
    Language("zh-hant", "Chinese (traditional script)", "zho", "zho_Hant"),
    Language("zu", "Zulu", "zul", "zul_Latn"),
)

LANGUAGES: dict[str, Language] = {language.code: language for language in _TABLE}

_BY_WHISPER = {language.whisper: language.code for language in _TABLE if language.whisper}
# Codes that people type and other programs write, beside those of the table.
_OTHER_NAMES = {
    "iw": "he",
    "in": "id",
    "jw": "jv",
    "nb": "no",
    "fil": "tl",
    "filipino": "tl",
    "mandarin": "zh",
    "cmn": "zh",
    "zh-cn": "zh",
    "zh-hans": "zh",
    "zh-tw": "zh-hant",
    "farsi": "fa",
    "castilian": "es",
    "flemish": "nl",
    "gaelic": "gd",
    "kurdish": "ku",
    "ger": "de",
    "fre": "fr",
    "dut": "nl",
    "gre": "el",
    "chi": "zh",
    "cze": "cs",
    "per": "fa",
    "rum": "ro",
}


def language(code: str) -> Language:
    """Look a language up by its code, written as in the table. Raises UnsupportedLanguage naming the nearest ones."""
    try:
        return LANGUAGES[code]
    except KeyError:
        raise UnsupportedLanguage(f"'{code}' is not a language code that Dubline knows; {_advice(code)}") from None


def from_whisper(name: str) -> str:
    """The code of a language that Whisper found. A name of a newer Whisper than the table's passes unchanged."""
    return _BY_WHISPER.get(name, name)


def _advice(typed: str) -> str:
    near = _nearest(typed.strip().lower().replace("_", "-"))
    if near:
        return "did you mean " + " or ".join(f"'{code}' ({LANGUAGES[code].name})" for code in near) + "?"
    return "use an ISO 639-1 code such as en, es, fr or zh, or an ISO 639-3 code such as ceb."


def _nearest(typed: str) -> tuple[str, ...]:
    """Codes that the text may mean: other spellings first, then names that resemble it; empty where nothing does."""
    exact = _OTHER_NAMES.get(typed) or _known_spellings().get(typed) or _known_spellings().get(typed.split("-")[0])
    if exact:
        return (exact,)
    names = {language.name.lower(): language.code for language in _TABLE}
    return tuple(names[name] for name in difflib.get_close_matches(typed, names, n=2, cutoff=0.75))


def _known_spellings() -> dict[str, str]:
    """Codes, names, three-letter codes and FLORES tokens, in lower case; the first of the table's rows wins."""
    spellings: dict[str, str] = {}
    for row in _TABLE:
        for spelling in (row.code, row.name, row.iso3, row.flores or row.code):
            spellings.setdefault(spelling.lower().replace("_", "-"), row.code)
    return spellings
