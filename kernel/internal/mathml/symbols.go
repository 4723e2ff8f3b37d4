package mathml

import "html"

// A symbol is a command without arguments.
type symbol struct {
	text       string
	element    string // mi or mo
	attributes string
	limits     bool
}

func (s symbol) atom() atom {
	return atom{xml: "<" + s.element + s.attributes + ">" + html.EscapeString(s.text) + "</" + s.element + ">", limits: s.limits}
}

var symbols = map[string]symbol{}

func init() {
	add := func(element, attributes string, limits bool, pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			symbols[pairs[i]] = symbol{pairs[i+1], element, attributes, limits}
		}
	}
	add("mi", "", false,
		"alpha", "α", "beta", "β", "gamma", "γ", "delta", "δ", "epsilon", "ϵ", "varepsilon", "ε", "zeta", "ζ", "eta", "η",
		"theta", "θ", "vartheta", "ϑ", "iota", "ι", "kappa", "κ", "lambda", "λ", "mu", "μ", "nu", "ν", "xi", "ξ", "omicron", "ο",
		"pi", "π", "varpi", "ϖ", "rho", "ρ", "varrho", "ϱ", "sigma", "σ", "varsigma", "ς", "tau", "τ", "upsilon", "υ",
		"phi", "ϕ", "varphi", "φ", "chi", "χ", "psi", "ψ", "omega", "ω", "ell", "ℓ", "imath", "ı", "jmath", "ȷ")
	add("mi", ` mathvariant="normal"`, false,
		"Gamma", "Γ", "Delta", "Δ", "Theta", "Θ", "Lambda", "Λ", "Xi", "Ξ", "Pi", "Π", "Sigma", "Σ", "Upsilon", "Υ",
		"Phi", "Φ", "Psi", "Ψ", "Omega", "Ω", "infty", "∞", "partial", "∂", "nabla", "∇", "hbar", "ℏ", "Re", "ℜ", "Im", "ℑ",
		"aleph", "ℵ", "emptyset", "∅", "varnothing", "∅", "top", "⊤", "bot", "⊥", "angle", "∠", "degree", "°", "wp", "℘",
		"ldots", "…", "dots", "…", "cdots", "⋯", "vdots", "⋮", "ddots", "⋱", "dotsc", "…", "dotsb", "⋯", "$", "$", "%", "%", "#", "#",
		"_", "_", "checkmark", "✓", "dagger", "†", "prime", "′", "square", "□", "Box", "□", "triangle", "△", "forall", "∀", "exists", "∃", "nexists", "∄")
	add("mo", "", false,
		"times", "×", "cdot", "⋅", "div", "÷", "pm", "±", "mp", "∓", "ast", "∗", "star", "⋆", "circ", "∘", "bullet", "•",
		"oplus", "⊕", "ominus", "⊖", "otimes", "⊗", "odot", "⊙", "wedge", "∧", "land", "∧", "vee", "∨", "lor", "∨", "neg", "¬", "lnot", "¬",
		"cap", "∩", "cup", "∪", "setminus", "∖", "le", "≤", "leq", "≤", "ge", "≥", "geq", "≥", "leqslant", "⩽", "geqslant", "⩾",
		"ll", "≪", "gg", "≫", "ne", "≠", "neq", "≠", "approx", "≈", "sim", "∼", "simeq", "≃", "cong", "≅", "equiv", "≡", "propto", "∝",
		"in", "∈", "notin", "∉", "ni", "∋", "subset", "⊂", "supset", "⊃", "subseteq", "⊆", "supseteq", "⊇", "mid", "∣", "nmid", "∤",
		"parallel", "∥", "perp", "⟂", "to", "→", "rightarrow", "→", "leftarrow", "←", "gets", "←", "leftrightarrow", "↔",
		"Rightarrow", "⇒", "Leftarrow", "⇐", "Leftrightarrow", "⇔", "implies", "⟹", "impliedby", "⟸", "iff", "⟺", "mapsto", "↦",
		"longrightarrow", "⟶", "longleftarrow", "⟵", "longmapsto", "⟼", "uparrow", "↑", "downarrow", "↓", "updownarrow", "↕",
		"hookrightarrow", "↪", "rightharpoonup", "⇀", "rightleftharpoons", "⇌", "models", "⊨", "vdash", "⊢", "therefore", "∴", "because", "∵",
		"prec", "≺", "succ", "≻", "preceq", "⪯", "succeq", "⪰", "asymp", "≍", "doteq", "≐", "triangleq", "≜", "coloneqq", "≔", "colon", ":",
		"lt", "<", "gt", ">", "&", "&", "backslash", "∖", "diamond", "⋄", "bmod", "mod", "sqcup", "⊔", "sqcap", "⊓")
	add("mo", ` stretchy="false"`, false,
		"{", "{", "lbrace", "{", "}", "}", "rbrace", "}", "langle", "⟨", "rangle", "⟩", "lceil", "⌈", "rceil", "⌉", "lfloor", "⌊", "rfloor", "⌋",
		"|", "‖", "Vert", "‖", "lVert", "‖", "rVert", "‖", "vert", "|", "lvert", "|", "rvert", "|", "lbrack", "[", "rbrack", "]")
	add("mo", ` movablelimits="true"`, true,
		"sum", "∑", "prod", "∏", "coprod", "∐", "bigcup", "⋃", "bigcap", "⋂", "bigvee", "⋁", "bigwedge", "⋀",
		"bigoplus", "⨁", "bigotimes", "⨂", "bigodot", "⨀", "bigsqcup", "⨆")
	add("mo", "", false, "int", "∫", "iint", "∬", "iiint", "∭", "oint", "∮")
}

// functions are function names, which are written upright.
var functions = map[string]bool{
	"sin": true, "cos": true, "tan": true, "cot": true, "sec": true, "csc": true, "arcsin": true, "arccos": true, "arctan": true,
	"sinh": true, "cosh": true, "tanh": true, "coth": true, "log": true, "ln": true, "lg": true, "exp": true, "deg": true,
	"dim": true, "ker": true, "hom": true, "arg": true,
}

// limitFunctions are function names whose subscript is below them.
var limitFunctions = map[string]string{
	"lim": "lim", "limsup": "lim sup", "liminf": "lim inf", "max": "max", "min": "min", "sup": "sup", "inf": "inf",
	"det": "det", "gcd": "gcd", "Pr": "Pr", "argmax": "arg max", "argmin": "arg min",
}

var spaces = map[string]string{
	",": "0.17em", ":": "0.22em", ">": "0.22em", ";": "0.28em", "!": "-0.17em", " ": "0.33em", "quad": "1em", "qquad": "2em",
	"thinspace": "0.17em", "medspace": "0.22em", "thickspace": "0.28em", "enspace": "0.5em",
}

// isOpening has the opening delimiters, before which a function's name needs no space.
var isOpening = map[string]bool{"left": true, "langle": true, "lfloor": true, "lceil": true, "{": true, "lvert": true, "|": true, "big": true, "Big": true, "bigl": true, "Bigl": true}
