package cell

import (
	"fmt"
	"go/token"
	"strings"
)

// loopIn explains errors in loops over elements as other languages write them: for x in xs.
func loopIn(s tokenLine, _ string) (string, int) {
	first, in := s.index("for"), s.index("in")
	if first < 0 || in < first || s.at < first {
		return "", 0
	}
	if s.word(first+1) == "(" { // JavaScript's for (x in xs)
		return "unexpected in: a loop over elements is written for _, x := range xs { … }", in
	}
	from, end := in+1, s.headerEnd(in+1)
	names := s.text(first+1, in)
	if s.word(from) == "range" && s.word(from+1) != "(" {
		from++
	}
	header, body := s.overCall(names, from, end)
	if over := s.text(from, end); header == "" && names != "" && over != "" && s.word(from) != "range" {
		if !strings.Contains(names, ",") {
			names = "_, " + names
		}
		header = names + " := range " + over
	}
	if header == "" {
		return "unexpected in: a loop over elements is written for i, x := range xs { … }", in
	}
	return "unexpected in: write for " + header + " { " + body + "… }", in
}

// headerEnd returns the index of the token at which the header of a loop ends: the first colon, or else the brace that opens
// its body. The brace of a composite literal comes before that of the body.
func (s tokenLine) headerEnd(from int) int {
	depth, braces := 0, []int(nil)
	for i := from; i < len(s.toks); i++ {
		switch s.word(i) {
		case ":":
			if depth == 0 {
				return i
			}
		case "{":
			if depth == 0 {
				braces = append(braces, i)
			}
			depth++
		case "(", "[":
			depth++
		case ")", "]", "}":
			depth--
		}
	}
	isLiteral := s.word(from) == "[" || s.word(from) == "map"
	if n := len(braces); n > 1 || n == 1 && !isLiteral {
		return braces[n-1]
	}
	return len(s.toks)
}

// call returns the function and the arguments of the call that the tokens from..end form. The function is "" if they do
// not form a call.
func (s tokenLine) call(from, end int) (fun string, args []string) {
	open := -1
	depth, start := 0, 0
	for i := from; i < end; i++ {
		switch s.word(i) {
		case "(", "[", "{":
			if depth == 0 && s.word(i) == "(" {
				if open >= 0 {
					return "", nil
				}
				open, start = i, i+1
			}
			depth++
		case ")", "]", "}":
			depth--
			if depth == 0 && open >= 0 && i == end-1 && open > from {
				if i > start {
					args = append(args, s.text(start, i))
				}
				return s.text(from, open), args
			}
		case ",":
			if depth == 1 && open >= 0 {
				args = append(args, s.text(start, i))
				start = i + 1
			}
		}
	}
	return "", nil
}

// overCall returns Go's header of a loop over the result of a function of Python, or "", and the statement with which its
// body begins.
func (s tokenLine) overCall(names string, from, end int) (header, body string) {
	fun, args := s.call(from, end)
	isPair := strings.Count(names, ",") == 1
	owner, method := "", ""
	if dot := strings.LastIndexByte(fun, '.'); dot >= 0 {
		owner, method = fun[:dot], fun[dot+1:]
	}
	switch {
	case fun == "range" && !isPair && len(args) > 0:
		return rangeHeader(names, args), ""
	case fun == "enumerate" && isPair && len(args) == 1:
		return names + " := range " + args[0], ""
	case fun == "reversed" && !isPair && len(args) == 1:
		return "_, " + names + " := range slices.Backward(" + args[0] + ")", ""
	case fun == "sorted" && !isPair && len(args) == 1:
		return "_, " + names + " := range slices.Sorted(slices.Values(" + args[0] + "))", ""
	case fun == "zip" && isPair && len(args) == 2:
		return "i := range " + args[0], names + " := " + args[0] + "[i], " + args[1] + "[i]; "
	case len(args) > 0:
	case method == "items" && isPair:
		return names + " := range " + owner, ""
	case method == "keys" && !isPair:
		return names + " := range " + owner, ""
	case method == "values" && !isPair:
		return "_, " + names + " := range " + owner, ""
	}
	return "", ""
}

// rangeHeader returns Go's header of a loop over Python's range with these arguments.
func rangeHeader(name string, args []string) string {
	switch len(args) {
	case 1:
		return name + " := range " + args[0]
	case 2:
		if args[0] == "0" {
			return name + " := range " + args[1]
		}
		return fmt.Sprintf("%s := %s; %s < %s; %s++", name, args[0], name, args[1], name)
	case 3:
		compare, step := "<", "+= "+args[2]
		if down, ok := strings.CutPrefix(args[2], "-"); ok {
			compare, step = ">", "-= "+down
		}
		step = " " + step
		switch step {
		case " += 1":
			step = "++"
		case " -= 1":
			step = "--"
		}
		return fmt.Sprintf("%s := %s; %s %s %s; %s%s", name, args[0], name, compare, args[1], name, step)
	}
	return ""
}

// rangeCall explains range and type as functions, which they are in Python.
func rangeCall(s tokenLine, _ string) (string, int) {
	for i := range min(s.at+1, len(s.toks)) {
		if s.word(i+1) != "(" || s.word(i-1) == "." {
			continue
		}
		end := s.closing(i + 1)
		inside := s.text(i+2, end)
		isType := s.word(i) == "type" && end > i+2 && s.toks[i+2].kind == token.IDENT && (end == i+3 || !startsOperand(s.toks[i+3]))
		switch {
		case end < 0 || inside == "":
		case isType:
			return fmt.Sprintf("type declares a type in Go: fmt.Printf(\"%%T\\n\", %s) prints the type of %s", inside, inside), i
		case s.word(i) == "range" && (s.at == i || s.at == i+1):
			if header, _ := s.overCall("i", i, end+1); header != "" {
				return "unexpected range: it belongs to a loop, as in for " + header + " { … }", i
			}
		}
	}
	return "", 0
}

// closing returns the index of the token that closes the bracket at token i, or -1.
func (s tokenLine) closing(i int) int {
	depth := 0
	for ; i < len(s.toks); i++ {
		switch s.word(i) {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// opening returns the index of the innermost bracket that is open at token i, or -1.
func (s tokenLine) opening(i int) int {
	depth := 0
	for i--; i >= 0; i-- {
		switch s.word(i) {
		case "(", "[", "{":
			if depth--; depth < 0 {
				return i
			}
		case ")", "]", "}":
			depth++
		}
	}
	return -1
}

// startsOperand reports whether an operand begins with the token.
func startsOperand(t tok) bool {
	return t.kind == token.IDENT || t.kind.IsLiteral() || t.kind == token.STRUCT || t.kind == token.INTERFACE || t.kind == token.FUNC ||
		t.kind == token.MAP || t.kind == token.CHAN || t.kind == token.MUL || t.kind == token.LBRACK
}
