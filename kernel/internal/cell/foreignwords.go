package cell

import (
	"go/token"
	"strings"
)

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
	"try":      "Go has no exceptions: functions return an error, as in x, err := f(), and if err != nil { … } handles it; a deferred recover() ends a panic",
	"except":   "Go has no exceptions: functions return an error, as in x, err := f(), and if err != nil { … } handles it; a deferred recover() ends a panic",
	"catch":    "Go has no exceptions: functions return an error, as in x, err := f(), and if err != nil { … } handles it; a deferred recover() ends a panic",
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
	"match":    "a choice between values is switch x { case 1: … }",
	"global":   "a function can change variables that are declared outside of it: leave this line out",
	"nonlocal": "a function can change variables that are declared outside of it: leave this line out",
	"lambda":   "a function without a name is func(x int) int { return … }",
}

// foreignWord explains errors in a statement that begins with a keyword of another language.
func foreignWord(s tokenLine, _ string) (string, int) {
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
