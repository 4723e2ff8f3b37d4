package session

import (
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

func TestHelp(t *testing.T) {
	s := newTestSession(t)
	ask := func(code string) (string, *output.Error) {
		t.Helper()
		tr := &transcript{}
		reply := s.Execute(t.Context(), output.Request{Code: code, StoreHistory: true}, tr)
		text, _ := reply.Page["text/plain"].(string)
		return text + tr.text(), reply.Error
	}
	execute(t, s, "// double is twice n.\nfunc double(n int) int {\n\treturn 2 * n // as it says\n}\nvar counter = 3")
	for code, want := range map[string][]string{
		"fmt.Println?": {"func fmt.Println(a ...any)", "Println formats"}, "strings?": {"package strings"},
		"double?": {"func double(n int) int", "double is twice n"}, "double??": {"return 2 * n // as it says", "cell 1"},
		"?counter": {"int"}, "%get?": {"go get"},
	} {
		got, err := ask(code)
		if err != nil {
			t.Errorf("%s: %v", code, err)
		}
		mustContain(t, got, want...)
	}
	if got, _ := ask("double?"); strings.Contains(got, "as it says") {
		t.Errorf("one mark shows the source: %s", got)
	}
	if _, err := ask("nosuch?"); err == nil || !strings.Contains(err.Value, "nosuch is not known") {
		t.Errorf("nosuch: %v", err)
	}
	if c := s.IsComplete("fmt.Println?"); c.Status != "complete" {
		t.Errorf("%+v", c)
	}
}
