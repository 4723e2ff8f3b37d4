package cell

import (
	"fmt"
	"go/token"
	"strings"
)

// formatted explains errors about strings of Python with a prefix or with three quotation marks.
func formatted(s tokenLine, _ string) (string, int) {
	at := s.at
	if at < len(s.toks) && s.toks[at].kind == token.IDENT && s.isTextAfter(at) {
		at++
	}
	if at == 0 || at >= len(s.toks) || !s.isTextAfter(at-1) {
		return "", 0
	}
	content, isWhole := betweenQuotes(s.word(at))
	switch prefix := s.word(at - 1); {
	case prefix == `""`:
		return "unexpected \"\"\": a string of several lines is enclosed in backquotes: `…`", at - 1
	case s.toks[at-1].kind != token.IDENT:
	case strings.EqualFold(prefix, "f"):
		if call, ok := sprintf(content); ok && isWhole {
			return "Go has no f-strings: write " + call, at - 1
		}
		return `Go has no f-strings: write fmt.Sprintf("… %v …", x)`, at - 1
	case strings.EqualFold(prefix, "r"):
		return "a raw string is enclosed in backquotes: `…`", at - 1
	case strings.EqualFold(prefix, "b"):
		return `the bytes of a string are []byte("…")`, at - 1
	case strings.EqualFold(prefix, "u"):
		return `a string needs no prefix, since its text is UTF-8`, at - 1
	}
	return "", 0
}

// isTextAfter reports whether the token after token i begins with a quotation mark, and no blank is between them.
func (s tokenLine) isTextAfter(i int) bool {
	next := s.word(i + 1)
	return i+1 < len(s.toks) && s.toks[i+1].off == s.toks[i].off+len(s.word(i)) && next != "" && (next[0] == '"' || next[0] == '\'')
}

// betweenQuotes returns the text between quotation marks of one line, and whether both marks are there.
func betweenQuotes(lit string) (string, bool) {
	if len(lit) < 2 || lit[0] != lit[len(lit)-1] {
		return "", false
	}
	return lit[1 : len(lit)-1], true
}

// sprintf returns the call of fmt.Sprintf that makes the text of an f-string, and whether Go's verbs can express it.
func sprintf(content string) (string, bool) {
	var format strings.Builder
	var args []string
	for content != "" {
		i := strings.IndexAny(content, "{}%")
		if i < 0 {
			break
		}
		format.WriteString(content[:i])
		mark, rest := content[i], content[i+1:]
		switch {
		case mark == '%':
			format.WriteString("%%")
		case strings.HasPrefix(rest, string(mark)):
			format.WriteByte(mark)
			rest = rest[1:]
		case mark == '}':
			return "", false
		default:
			expr, after, ok := strings.Cut(rest, "}")
			expr, spec, _ := strings.Cut(expr, ":")
			verb, known := verbOf(spec)
			if !ok || !known || strings.ContainsAny(expr, `{!="'`) || strings.TrimSpace(expr) == "" {
				return "", false
			}
			format.WriteString(verb)
			args = append(args, strings.TrimSpace(expr))
			rest = after
		}
		content = rest
	}
	format.WriteString(content)
	if len(args) == 0 {
		return "", false
	}
	return `fmt.Sprintf("` + format.String() + `", ` + strings.Join(args, ", ") + ")", true
}

// verbOf returns the verb of fmt for a format specification of Python, and whether there is one.
func verbOf(spec string) (string, bool) {
	if spec == "" {
		return "%v", true
	}
	if strings.TrimLeft(spec, "0123456789.") == "" {
		return "%" + spec + "v", true
	}
	size, verb := spec[:len(spec)-1], spec[len(spec)-1:]
	return "%" + spec, strings.Contains("dfegsxXob", verb) && strings.TrimLeft(size, "0123456789.+") == ""
}

// conditional explains errors about Python's conditional expression, a if condition else b.
func conditional(s tokenLine, _ string) (string, int) {
	other := s.index("else")
	if s.word(s.at) != "if" || s.at == 0 || other < s.at || s.word(s.at-1) == "}" {
		return "", 0
	}
	const no = "unexpected if: Go has no conditional expression: write "
	then, condition, instead := s.text(2, s.at), s.text(s.at+1, other), s.text(other+1, len(s.toks))
	assign := s.word(1)
	if (assign != "=" && assign != ":=") || s.toks[0].kind != token.IDENT || s.opening(s.at) >= 0 || instead == "" {
		return no + "if condition { … } else { … }", s.at
	}
	name := s.word(0)
	return fmt.Sprintf("%s%s %s %s, and if %s { %s = %s }", no, name, assign, instead, condition, name, then), s.at
}

// membership explains errors about in as an operator.
func membership(s tokenLine, _ string) (string, int) {
	no := ""
	switch {
	case s.at == 0:
	case s.word(s.at) == "in":
		no = "unexpected in"
	case s.word(s.at) == "not" && s.word(s.at+1) == "in":
		no = "unexpected not in"
	}
	if no == "" {
		return "", 0
	}
	return no + ": slices.Contains(s, x) finds an element, _, ok := m[key] a key of a map, and strings.Contains(s, part) a part of a string", s.at
}

// secondAssignment explains errors about = in a place where Go has no assignment: a named argument, the field of a literal,
// a second assignment in one statement, and =>.
func secondAssignment(s tokenLine, _ string) (string, int) {
	op := s.word(s.at)
	if op != "=" && op != ":=" || s.at < 2 {
		return "", 0
	}
	if op == "=" && s.word(s.at+1) == ">" && s.toks[s.at+1].off == s.toks[s.at].off+1 {
		return "unexpected =>: a function without a name is func(x int) int { return … }", s.at
	}
	name := s.word(s.at - 1)
	open := s.opening(s.at)
	if open > 0 && s.toks[s.at-1].kind == token.IDENT && (open == s.at-2 || s.word(s.at-2) == ",") {
		before := s.toks[open-1].kind == token.IDENT
		switch {
		case s.word(open) == "(" && before && s.word(open-1) == "print":
			return "unexpected =: Go has no named arguments: fmt.Print ends no line, fmt.Println does", s.at
		case s.word(open) == "(" && before:
			return fmt.Sprintf("unexpected =: Go has no named arguments: write the values in the order of the parameters of %s", s.word(open-1)), s.at
		case s.word(open) == "{" && before && s.word(0) != "if" && s.word(0) != "for" && s.word(0) != "switch":
			return fmt.Sprintf("unexpected =: the field of a literal is followed by a colon, as in %s{%s: %s}", s.word(open-1), name, valueAfter(s)), s.at
		}
	}
	first := max(s.index("="), s.index(":="))
	if first > 0 && first < s.at && open < 0 && s.word(0) != "if" && s.word(0) != "for" && s.word(0) != "switch" {
		return fmt.Sprintf("unexpected %s: an assignment has no value: write one statement for each variable, or x, y = 1, 1", op), s.at
	}
	return "", 0
}

// valueAfter returns the token after that of the error, or a placeholder.
func valueAfter(s tokenLine) string {
	if next := s.at + 1; next < len(s.toks) && startsOperand(s.toks[next]) {
		return s.word(next)
	}
	return "…"
}

// colonType explains errors about a colon between a name and its type.
func colonType(s tokenLine, _ string) (string, int) {
	if s.at == 0 || s.at+1 >= len(s.toks) || s.word(s.at) != ":" || s.toks[s.at-1].kind != token.IDENT || !startsOperand(s.toks[s.at+1]) {
		return "", 0
	}
	switch s.word(0) {
	case "var", "const", "func", "type":
		return fmt.Sprintf("unexpected colon: a type follows its name without one, as in %s %s", s.word(s.at-1), s.word(s.at+1)), s.at
	}
	return "", 0
}

// shellCommand explains errors in commands of a shell that are written without an exclamation mark.
func shellCommand(s tokenLine, _ string) (string, int) {
	line := strings.TrimSpace(Line(s.src, PosAt(s.src, s.toks[0].off).Line))
	second := ""
	if len(s.toks) > 1 && s.toks[1].kind == token.IDENT || s.word(1) == "import" {
		second = s.word(1)
	}
	switch s.word(0) {
	case "pip", "pip3", "conda", "npm", "cargo", "brew", "apt":
		if second == "install" || second == "add" {
			return "%get PATH fetches a Go package, as in %get gonum.org/v1/gonum/mat; !" + s.word(0) + " runs the shell's command", 0
		}
	case "go":
		switch second {
		case "get", "install":
			return "write %get with the path of a package: " + strings.Replace(line, "go "+second, "%get", 1), 0
		case "run", "build", "mod", "vet", "version", "env", "fmt", "doc", "list", "work", "tool", "generate":
			if s.at > 1 {
				return "write an exclamation mark before a command of the shell: !" + line, 0
			}
		}
	case "cd":
		if !strings.HasPrefix(line, "cd =") && len(s.toks) > 1 {
			return "%cd changes the folder: %" + line, 0
		}
	case "ls", "cat", "mkdir", "rm", "cp", "mv", "git", "curl", "wget", "echo", "head", "tail", "grep", "which", "sudo":
		if second != "" && s.word(2) != "=" && s.word(2) != ":=" && s.at > 0 {
			return "write an exclamation mark before a command of the shell: !" + line, 0
		}
	}
	return "", 0
}

// callWithoutParentheses explains an error about an operand that follows an operand.
func callWithoutParentheses(s tokenLine, msg string) (string, int) {
	if s.at == 0 || s.at >= len(s.toks) || !strings.HasSuffix(msg, "expected ; or a new line") {
		return "", 0
	}
	for i := range s.at {
		if isName := i%2 == 0; isName != (s.toks[i].kind == token.IDENT) || !isName && s.word(i) != "." {
			return "", 0
		}
	}
	next := s.toks[s.at]
	name := s.text(0, s.at)
	switch {
	case next.kind == token.STRING || next.kind == token.INT || next.kind == token.FLOAT || next.kind == token.CHAR,
		next.kind == token.IDENT && s.at > 1:
		return fmt.Sprintf("unexpected %s: the arguments of a call are in parentheses: %s(%s)", s.word(s.at), name, s.text(s.at, len(s.toks))), s.at
	case next.kind == token.IDENT:
		return fmt.Sprintf("%s: a call is written %s(%s), a command of the shell !%s", msg, name, s.text(s.at, len(s.toks)), name), s.at
	}
	return "", 0
}
