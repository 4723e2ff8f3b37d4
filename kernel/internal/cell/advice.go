package cell

import (
	"fmt"
	"go/scanner"
	"go/token"
	"strings"
)

// A tokenLine holds the tokens of the line with a syntax error, up to the first newline at which Go
// inserts a semicolon.
type tokenLine struct {
	src  string
	toks []tok
	at   int // index of the token at the error; len(toks) if the error is after the last token
}

// tokenLineAt returns the tokens of the line around an offset.
func tokenLineAt(src string, off int) tokenLine {
	start := strings.LastIndexByte(src[:off], '\n') + 1
	s := tokenLine{src: src}
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
func (s tokenLine) word(i int) string {
	if i < 0 || i >= len(s.toks) {
		return ""
	}
	if t := s.toks[i]; t.kind.IsLiteral() || t.kind == token.IDENT || t.kind == token.ILLEGAL {
		return t.lit
	}
	return s.toks[i].kind.String()
}

// index returns the index of the first token with the text word, or -1.
func (s tokenLine) index(word string) int {
	for i := range s.toks {
		if s.word(i) == word {
			return i
		}
	}
	return -1
}

// text returns the source from token i up to token j, without trailing blanks, colons, braces and semicolons.
func (s tokenLine) text(i, j int) string {
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
	s := tokenLineAt(src, off)
	for _, rule := range rules {
		if s.apply(rule, e) {
			return
		}
	}
	if first := tokenLineAt(src, start); start < off && len(first.toks) > 0 && opensBlock(first.word(0)) {
		first.apply(foreignWord, e)
	}
}

// apply applies a rule to an error and reports whether the rule has rewritten it.
func (s tokenLine) apply(r rule, e *Error) bool {
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

// A rule returns a new message for an error in a tokenLine, and the index of the token that the
// message is about, or -1. The message is "" if the rule does not apply.
type rule func(s tokenLine, msg string) (string, int)

var rules = []rule{
	formatted, literals, shellCommand, loopIn, rangeCall, foreignWord, conditional, membership, secondAssignment, colonType,
	foreignOperator, typeFirst, headers, increments, declarations, callWithoutParentheses,
}

// foreignOperator explains errors about operators and comments of other languages.
func foreignOperator(s tokenLine, msg string) (string, int) {
	if strings.Contains(msg, "U+0023") {
		return "unexpected #: a comment begins with //", s.at
	}
	if strings.Contains(msg, "U+0040") {
		return "unexpected @: Go has no decorators: call the function that changes a function, as in f2 := decorate(f)", s.at
	}
	if s.at >= len(s.toks) {
		return "", 0
	}
	if strings.HasPrefix(msg, "unexpected ?") && s.index(":") > s.at {
		return "unexpected ?: Go has no conditional operator: write if condition { … } else { … }", s.at
	}
	for i := max(s.at-1, 0); i <= s.at; i++ {
		switch word := s.word(i); {
		case s.toks[i].kind != token.IDENT:
		case word == "and" && i > 0:
			return "unexpected and: it is written &&", i
		case word == "or" && i > 0:
			return "unexpected or: it is written ||", i
		case word == "not":
			return "unexpected not: it is written !", i
		case word == "then" && i > 0:
			return "unexpected then: the statements of an if are in braces: if condition { … }", i
		case word == "is" && i > 0:
			return "unexpected is: it is written ==", i
		}
	}
	switch pair := s.word(s.at-1) + s.word(s.at); {
	case pair == "***=", pair == "**=":
		x := s.text(0, s.at-1)
		return fmt.Sprintf("unexpected **=: math.Pow(x, y) computes a power, as in %s = math.Pow(%s, 2)", x, x), s.at - 1
	case pair == "===" && s.word(s.at) == "=", pair == "!==":
		return fmt.Sprintf("unexpected %s: values are compared with %s", pair, pair[:2]), s.at - 1
	case s.word(s.at) == "!" && s.word(s.at+1) == "(" && s.at > 0 && s.toks[s.at-1].kind == token.IDENT:
		return fmt.Sprintf("unexpected !: Go has no macros, a function is called as in %s(…)", s.word(s.at-1)), s.at
	case s.word(s.at-1) == "." && s.toks[s.at].kind.IsKeyword():
		return fmt.Sprintf("unexpected %s: no method has the name of a keyword: write a loop, as in for _, x := range %s { … }", s.word(s.at), s.word(s.at-2)), s.at
	case s.word(s.at-1) == "new" && s.toks[s.at].kind == token.IDENT:
		return fmt.Sprintf("unexpected %s: new(T) and &T{…} make a pointer to a new value of type T", s.word(s.at)), s.at
	case pair == "[]" && s.at > 1 && s.toks[s.at-2].kind == token.IDENT:
		return fmt.Sprintf("unexpected ]: the type of a slice is written []%s", s.word(s.at-2)), s.at
	}
	return "", 0
}

// typeFirst explains errors in declarations with the type first, such as int x = 5.
func typeFirst(s tokenLine, _ string) (string, int) {
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
func headers(s tokenLine, msg string) (string, int) {
	switch {
	case s.word(s.at) == "else" && (s.at == 0 || s.word(s.at-1) != "}"):
		return "unexpected else: write it on the line of the closing brace, as in } else {", s.at
	case strings.HasPrefix(msg, "expected boolean expression, found assignment"):
		if i := s.index("="); i > 0 {
			return "unexpected =: a condition compares with ==", i
		}
	case s.word(0) == "for" && s.word(1) == "(" && (s.word(s.at) == ":=" || s.index(";") > 0):
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
func literals(s tokenLine, msg string) (string, int) {
	switch {
	case strings.HasPrefix(msg, "string literal not terminated"):
		return msg + ": the quotation mark at its end is missing", -1
	case strings.HasPrefix(msg, "raw string literal not terminated"):
		return msg + ": the backquote at its end is missing", -1
	case strings.HasPrefix(msg, "unknown escape"):
		return msg + ": a backslash is written \\\\ between quotation marks, and \\ between backquotes: `…`", -1
	case s.word(s.at) == "," && s.word(s.opening(s.at)) == "(" && strings.HasPrefix(msg, "expected ')'"):
		return "unexpected comma: Go has no tuples: variables take several values, as in a, b := 1, 2, and a slice or struct keeps them", s.at
	case strings.HasPrefix(msg, "illegal rune literal"):
		return "single quotation marks enclose one character, double ones a string: \"…\"", -1
	case strings.HasPrefix(msg, "unexpected {, expected an expression") && s.index("for") > s.at && s.index("in") > s.at:
		return "unexpected {: Go has no comprehensions: write a loop that sets the entries, as in for i := range 3 { m[i] = i * i }", s.at
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
func increments(s tokenLine, _ string) (string, int) {
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
func declarations(s tokenLine, msg string) (string, int) {
	switch {
	case s.word(0) == "const" && s.word(s.at) == ":=":
		return "unexpected :=: a constant is declared with =, as in const x = 5", s.at
	case s.word(0) == "var" && s.word(s.at) == ":=":
		return "unexpected :=: write x := value, or var x = value", s.at
	case s.word(0) == "func" && s.word(s.at) == "," && strings.HasPrefix(msg, "unexpected ,") && s.index("{") > s.at:
		return "unexpected comma: several results are in parentheses, as in func f() (int, error) { … }", s.at
	case s.index("struct") >= 0 && s.word(s.at) == ",":
		return "unexpected comma: the fields of a struct are separated by semicolons or new lines", s.at
	case strings.HasPrefix(msg, "expression in go must be function call"), strings.HasPrefix(msg, "expression in defer must be function call"):
		return msg + ": add () to call it", -1
	}
	return "", 0
}
