package cell

import "testing"

func TestQuestion(t *testing.T) {
	for code, want := range map[string]string{
		"fmt.Println?": "fmt.Println", " ?x ": "x", "größe ?": "größe", "%get?": "%get", "?!": "!", "!*?": "!*",
		"x": "", "?": "", "?x?": "", "x???": "", "a ? b": "", "x?\ny": "", "f()?": "", "3?": "",
	} {
		name, source, ok := Question(code)
		if name != want || source || ok != (want != "") {
			t.Errorf("%q: %q, %v, %v", code, name, source, ok)
		}
	}
	for _, code := range []string{"x??", "??x"} {
		if name, source, ok := Question(code); name != "x" || !source || !ok {
			t.Errorf("%q: %q, %v, %v", code, name, source, ok)
		}
	}
}
