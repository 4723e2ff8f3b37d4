package cell

import (
	"fmt"
	"go/scanner"
	"go/token"
	"strings"
)

// A sentence holds the tokens of the line with a syntax error, up to the first newline at which Go
// inserts a semicolon.
type sentence struct {
	src  string
	toks []tok
	at   int // index of the token at the error; len(toks) if the error is after the last token
}

// sentenceAt returns the tokens of the line around an offset.
func sentenceAt(src string, off int) sentence {
	start := strings.LastIndexByte(src[:off], '\n') + 1
	s := sentence{src: src}
	text := src[start : start+lineLen(src[start:])]
	file := token.NewFileSet().AddFile("", -1, len(text))
	var sc scanner.Scanner
	sc.Init(file, []byte(text), func(token.Position, string) {}, 0)
	for {
		pos, kind, lit := sc.Scan()
		if kind == token.EOF || kind == token.SEMICOLON && lit == "\n" {
			break
		}
		s.toks = append(s.toks, tok{kind, lit, start + file.Offset(pos)})
	}
	for s.at < len(s.toks) && s.toks[s.at].off < off {
		s.at++
	}
	return s
}

// word returns the text of token i, or "" if there is no such token.
func (s sentence) word(i int) string {
	if i < 0 || i >= len(s.toks) {
		return ""
	}
	if t := s.toks[i]; t.kind.IsLiteral() || t.kind == token.IDENT || t.kind == token.ILLEGAL {
		return t.lit
	}
	return s.toks[i].kind.String()
}

// index returns the index of the first token with the text word, or -1.
func (s sentence) index(word string) int {
	for i := range s.toks {
		if s.word(i) == word {
			return i
		}
	}
	return -1
}

// text returns the source from token i up to token j, without trailing blanks, colons, braces and semicolons.
func (s sentence) text(i, j int) string {
	if i < 0 || i >= len(s.toks) || i >= j {
		return ""
	}
	end := s.toks[len(s.toks)-1].off + len(s.word(len(s.toks)-1))
	if j < len(s.toks) {
		end = s.toks[j].off
	}
	return strings.TrimRight(s.src[s.toks[i].off:end], " \t{:;")
}

// advise rewrites a syntax error caused by the syntax of another language, so that the message
// shows the Go form. start is the offset at which the statement begins.
func advise(src string, e *Error, start int) {
	off := offsetOf(src, e.Pos)
	s := sentenceAt(src, off)
	for _, rule := range rules {
		if s.apply(rule, e) {
			return
		}
	}
	if first := sentenceAt(src, start); start < off && len(first.toks) > 0 && opensBlock(first.word(0)) {
		first.apply(foreignWord, e)
	}
}

// apply applies a rule to an error and reports whether the rule has rewritten it.
func (s sentence) apply(r rule, e *Error) bool {
	if len(s.toks) == 0 {
		return false
	}
	msg, at := r(s, e.Msg)
	if msg == "" {
		return false
	}
	if at >= 0 && at < len(s.toks) {
		e.Pos = PosAt(s.src, s.toks[at].off)
	}
	e.Msg = msg
	return true
}

// offsetOf is the inverse of PosAt.
func offsetOf(src string, p Pos) int {
	off := 0
	for n := p.Line; n > 1; n-- {
		i := strings.IndexByte(src[off:], '\n')
		if i < 0 {
			return len(src)
		}
		off += i + 1
	}
	return min(off+max(p.Col-1, 0), len(src))
}

// A rule returns a new message for an error in a sentence, and the index of the token that the
// message is about, or -1. The message is "" if the rule does not apply.
type rule func(s sentence, msg string) (string, int)

var rules = []rule{literals, loopIn, foreignWord, foreignOperator, typeFirst, headers, increments, declarations}

// loopIn explains errors in for x in xs.
func loopIn(s sentence, _ string) (string, int) {
	first, in := s.index("for"), s.index("in")
	if first < 0 || in < first || s.at < first {
		return "", 0
	}
	from := in + 1
	end := len(s.toks)
	if s.word(end-1) == "{" || s.word(end-1) == ":" {
		end--
	}
	names, over := s.text(first+1, in), s.text(from, end)
	if s.word(first+1) == "(" { // JavaScript's for (x in xs)
		return "unexpected in: a loop over elements is written for _, x := range xs { … }", in
	}
	if s.word(from) == "range" && s.word(from+1) == "(" && s.word(end-1) == ")" && s.index(",") < 0 {
		return fmt.Sprintf("unexpected in: write for %s := range %s { … }", names, s.text(from+2, end-1)), in
	}
	if s.word(from) == "range" && s.word(from+1) != "(" {
		over = s.text(from+1, end)
	}
	if names == "" || over == "" || s.word(from) == "range" && s.word(from+1) == "(" {
		return "unexpected in: a loop over elements is written for i, x := range xs { … }", in
	}
	if !strings.Contains(names, ",") {
		names = "_, " + names
	}
	return fmt.Sprintf("unexpected in: write for %s := range %s { … }", names, over), in
}

// foreignWords maps keywords of other languages to messages with the Go form. %s stands
// for the word after the keyword.
var foreignWords = map[string]string{
	"while":    "Go has no while: a loop with a condition is for condition { … }",
	"until":    "Go has no until: a loop with a condition is for !condition { … }",
	"do":       "Go has no do: a loop without a condition is for { … }, and break ends it",
	"loop":     "a loop without a condition is for { … }, and break ends it",
	"foreach":  "a loop over elements is written for i, x := range xs { … }",
	"unless":   "Go has no unless: write if !condition { … }",
	"elif":     "elif is written else if, on the line of the closing brace: } else if condition { … }",
	"elsif":    "elsif is written else if, on the line of the closing brace: } else if condition { … }",
	"try":      "Go has no exceptions: functions return an error, as in x, err := f(), and if err != nil { … } handles it",
	"except":   "Go has no exceptions: functions return an error, as in x, err := f(), and if err != nil { … } handles it",
	"catch":    "Go has no exceptions: functions return an error, as in x, err := f(), and if err != nil { … } handles it",
	"finally":  "Go has no finally: defer f() calls f when the function ends",
	"raise":    "Go has no exceptions: return an error, as in errors.New(\"…\"), or call panic",
	"throw":    "Go has no exceptions: return an error, as in errors.New(\"…\"), or call panic",
	"class":    "Go has no classes: a type is declared as type %s struct { … }, a method as func (x %s) name() { … }",
	"struct":   "a type is declared as type %s struct { … }",
	"enum":     "Go has no enum: declare a type and constants, as in const ( A = iota; B )",
	"def":      "a function is declared as func %s(…) { … }",
	"function": "a function is declared as func %s(…) { … }",
	"fn":       "a function is declared as func %s(…) { … }",
	"fun":      "a function is declared as func %s(…) { … }",
	"let":      "a variable is declared as %s := value",
	"val":      "a variable is declared as %s := value",
	"auto":     "a variable is declared as %s := value",
	"print":    "the arguments of a call are in parentheses: fmt.Println(…)",
	"echo":     "the arguments of a call are in parentheses: fmt.Println(…)",
	"puts":     "the arguments of a call are in parentheses: fmt.Println(…)",
	"from":     "a package is imported as import \"path\"",
	"using":    "a package is imported as import \"path\"",
	"include":  "a package is imported as import \"path\"",
	"require":  "a package is imported as import \"path\"",
	"public":   "a name that begins with a capital letter is exported; other names are visible only in their package",
	"private":  "a name that begins with a capital letter is exported; other names are visible only in their package",
	"static":   "Go has no static: a function or variable outside of types belongs to the package",
	"async":    "go f() starts a goroutine; channels and sync.WaitGroup wait for it",
	"await":    "go f() starts a goroutine; channels and sync.WaitGroup wait for it",
	"yield":    "an iterator is a function with a parameter yield, see iter.Seq",
	"with":     "Go has no with: defer f.Close() closes a file when the function ends",
	"pass":     "an empty block is { }",
	"del":      "delete(m, key) removes an entry of a map, slices.Delete elements of a slice",
	"assert":   "Go has no assert: write if !condition { panic(\"…\") }",
	"lambda":   "a function without a name is func(x int) int { return … }",
}

// foreignWord explains errors in a statement that begins with a keyword of another language.
func foreignWord(s sentence, _ string) (string, int) {
	for i := range s.toks {
		if s.toks[i].kind != token.IDENT || i > s.at {
			continue
		}
		atStart := i == 0 || s.word(i-1) == "{" || s.word(i-1) == "}" || s.word(i-1) == ";"
		text, ok := foreignWords[s.word(i)]
		if !ok || !atStart && s.word(i) != "lambda" && s.word(i) != "await" {
			continue
		}
		if s.at > i+1 && !opensBlock(s.word(i)) {
			continue // the error is further on
		}
		next := s.word(i + 1)
		if next == "" || s.toks[i+1].kind != token.IDENT {
			next = "name"
		}
		return strings.ReplaceAll(text, "%s", next), i
	}
	return "", 0
}

// opensBlock reports whether a keyword of another language may stand before a brace. The parser then takes
// it for the type of a composite literal, and reports the error only later.
func opensBlock(word string) bool {
	switch word {
	case "try", "do", "loop", "finally", "def", "class", "lambda", "while", "unless", "until", "foreach", "function":
		return true
	}
	return false
}

// foreignOperator explains errors about operators and comments of other languages.
func foreignOperator(s sentence, msg string) (string, int) {
	if strings.Contains(msg, "U+0023") {
		return "unexpected #: a comment begins with //", s.at
	}
	if strings.HasPrefix(msg, "unexpected ?") && s.index(":") > s.at {
		return "unexpected ?: Go has no conditional operator: write if condition { … } else { … }", s.at
	}
	for i := max(s.at-1, 0); i <= s.at && i < len(s.toks); i++ {
		switch word := s.word(i); {
		case s.toks[i].kind != token.IDENT:
		case word == "and" && i > 0:
			return "unexpected and: it is written &&", i
		case word == "or" && i > 0:
			return "unexpected or: it is written ||", i
		case word == "not":
			return "unexpected not: it is written !", i
		case word == "is" && i > 0:
			return "unexpected is: it is written ==", i
		}
	}
	if s.word(s.at) == "*" && s.word(s.at-1) == "*" {
		return "unexpected **: math.Pow(x, y) is a power", s.at - 1
	}
	if s.word(s.at) == "/" && s.word(s.at-1) == "/" {
		return "unexpected //", s.at - 1
	}
	return "", 0
}

// typeFirst explains errors in declarations with the type first, such as int x = 5.
func typeFirst(s sentence, _ string) (string, int) {
	if s.at != 1 || s.toks[0].kind != token.IDENT || s.word(1) == "" {
		return "", 0
	}
	typ, name := s.word(0), s.word(1)
	switch typ {
	case "int", "int64", "uint", "float64", "string", "bool", "byte", "rune", "error", "any":
	case "float", "double":
		typ = "float64"
	case "char":
		typ = "byte"
	case "str", "String":
		typ = "string"
	case "boolean":
		typ = "bool"
	case "long":
		typ = "int64"
	default:
		return "", 0
	}
	if s.toks[1].kind != token.IDENT {
		return "", 0
	}
	switch s.word(2) {
	case "=":
		return fmt.Sprintf("the type follows the name: var %s %s = %s", name, typ, s.text(3, len(s.toks))), 0
	case "(":
		return fmt.Sprintf("a function is declared as func %s(…) %s { … }", name, typ), 0
	}
	return fmt.Sprintf("the type follows the name: var %s %s", name, typ), 0
}

// headers explains errors in the headers of if, for, switch and case, and before else.
func headers(s sentence, msg string) (string, int) {
	switch {
	case s.word(s.at) == "else" && (s.at == 0 || s.word(s.at-1) != "}"):
		return "unexpected else: write it on the line of the closing brace, as in } else {", s.at
	case strings.HasPrefix(msg, "expected boolean expression, found assignment"):
		if i := s.index("="); i > 0 {
			return "unexpected =: a condition compares with ==", i
		}
	case s.word(s.at) == ":=" && s.word(0) == "for" && s.word(1) == "(":
		return "unexpected (: the header of a for has no parentheses, as in for i := 0; i < n; i++ { … }", 1
	case strings.HasPrefix(msg, "expected ':', found newline") && s.index("case") >= 0:
		return "unexpected newline, expected : after the case", -1
	}
	keyword := s.word(0)
	if keyword == "}" && s.word(1) == "else" {
		keyword = s.word(2)
	}
	switch keyword {
	case "if", "for", "switch":
	default:
		return "", 0
	}
	if s.index("{") < 0 && s.at > 1 && s.at < len(s.toks) && !strings.HasSuffix(msg, "expected an expression") {
		return fmt.Sprintf("unexpected %s, expected { after the %s clause: put its statements in braces", s.word(s.at), keyword), s.at
	}
	return "", 0
}

// literals explains errors in string, rune and composite literals.
func literals(s sentence, msg string) (string, int) {
	switch {
	case strings.HasPrefix(msg, "string literal not terminated"):
		return msg + ": the quotation mark at its end is missing", -1
	case strings.HasPrefix(msg, "illegal rune literal"):
		return "single quotation marks enclose one character, double ones a string: \"…\"", -1
	case strings.HasPrefix(msg, "unexpected {, expected an expression") && !strings.Contains("&& || ! == != < > <= >=", s.word(s.at-1)):
		return "unexpected {: the literal of a map, slice or struct begins with its type, as in map[string]int{\"a\": 1}", s.at
	}
	open := -1
	for i := range min(s.at, len(s.toks)) {
		switch s.word(i) {
		case "[":
			open = i
		case "]":
			open = -1
		}
	}
	if open < 0 {
		return "", 0
	}
	before := s.word(open - 1)
	isOperand := open > 0 && (s.toks[open-1].kind == token.IDENT || before == "]" || before == ")")
	switch {
	case isOperand:
	case s.word(s.at) == "for":
		return "unexpected for: Go has no comprehensions: write a loop that appends, as in for i := range 3 { x = append(x, i) }", s.at
	case s.word(s.at) == ",":
		return "unexpected comma: a slice literal is written with its type, as in []int{1, 2, 3}", s.at
	}
	return "", 0
}

// increments explains errors about ++ and --.
func increments(s sentence, _ string) (string, int) {
	op := s.word(s.at)
	if op != "++" && op != "--" {
		return "", 0
	}
	if s.at == 0 || s.word(s.at-1) == "{" || s.word(s.at-1) == ";" {
		if s.at+1 < len(s.toks) && s.toks[s.at+1].kind == token.IDENT {
			return fmt.Sprintf("unexpected %s: it follows its operand, as in %s%s", op, s.word(s.at+1), op), s.at
		}
		return fmt.Sprintf("unexpected %s: it follows its operand, as in x%s", op, op), s.at
	}
	return fmt.Sprintf("unexpected %s: x%s is a statement, not a value", op, op), s.at
}

// declarations explains errors in const, var, struct, go and defer.
func declarations(s sentence, msg string) (string, int) {
	switch {
	case s.word(0) == "const" && s.word(s.at) == ":=":
		return "unexpected :=: a constant is declared with =, as in const x = 5", s.at
	case s.word(0) == "var" && s.word(s.at) == ":=":
		return "unexpected :=: write x := value, or var x = value", s.at
	case s.index("struct") >= 0 && s.word(s.at) == ",":
		return "unexpected comma: the fields of a struct are separated by semicolons or new lines", s.at
	case strings.HasPrefix(msg, "expression in go must be function call"), strings.HasPrefix(msg, "expression in defer must be function call"):
		return msg + ": add () to call it", -1
	}
	return "", 0
}
