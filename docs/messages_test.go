package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var messageRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")

// TestMessages checks that the messages in troubleshooting.md are in the code, or in a scenario's expected output.
func TestMessages(t *testing.T) {
	page, err := os.ReadFile("troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for _, row := range messageRow.FindAllStringSubmatch(string(page), -1) {
		missing[row[1]] = true
	}
	if len(missing) < 15 {
		t.Fatalf("found only %d messages", len(missing))
	}
	for _, root := range []string{"../kernel", "../lib"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".txtar") {
				return err
			}
			content, err := os.ReadFile(path)
			for message := range missing {
				if strings.Contains(strings.ReplaceAll(string(content), `\"`, `"`), message) {
					delete(missing, message)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for message := range missing {
		t.Errorf("no Go file and no scenario has the message %q", message)
	}
}

// TestDirectivesAreDocumented compares %help with directives.md.
func TestDirectivesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("directives.md")
	if err != nil {
		t.Fatal(err)
	}
	help := runCells(t, []block{{text: "%help"}})[0].text
	listed := 0
	for line := range strings.Lines(help) {
		for _, name := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' }) {
			if !strings.HasPrefix(name, "%") && !strings.HasPrefix(name, "!") {
				break
			}
			listed++
			if !strings.Contains(string(page), "`"+name) {
				t.Errorf("directives.md lacks %s: %s", name, line)
			}
		}
	}
	if listed < 40 {
		t.Errorf("%%help lists %d directives:\n%s", listed, help)
	}
}
