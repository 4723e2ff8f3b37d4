package kerneltest

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the scenarios' expected messages")

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { testScenario(t, file) })
	}
}

func testScenario(t *testing.T, file string) {
	t.Parallel()
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out, err := RunScenario(txtar.Parse(want))
	for errors.Is(err, errLate) {
		t.Log("once more:", err)
		out, err = RunScenario(txtar.Parse(want))
	}
	if err != nil {
		t.Fatal(err)
	}
	got := txtar.Format(out)
	if bytes.Equal(got, want) {
		return
	}
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("messages differ; run with -update and look at the change:\n%s", differences(string(want), string(got)))
}

// differences lists the lines that are in only one of two texts.
func differences(want, got string) string {
	var b strings.Builder
	mark := func(sign, of, in string) {
		for line := range strings.Lines(of) {
			if !strings.Contains("\n"+in, "\n"+line) {
				b.WriteString(sign + line)
			}
		}
	}
	mark("-", want, got)
	mark("+", got, want)
	if b.Len() == 0 {
		return "the order differs:\n" + got
	}
	return b.String()
}
