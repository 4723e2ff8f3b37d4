package docs

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the text blocks of the pages with what their cells print")

// perijove is the program under test, built once.
var perijove string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "perijove-docs")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		perijove = filepath.Join(dir, "perijove")
		build := exec.Command("go", "build", "-o", perijove, "../kernel/cmd/perijove")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// notRun lists the blocks that no test runs, by page and first line, with the reason.
var notRun = map[string]string{
	"README.md: go install github.com/perijove/perijove/kernel/cmd/perijove@latest":                          "TestInstallFromProxy does it, without a network",
	"docs/speedup.md: res, err := speedup.Measure(ctx, speedup.Options{Workers: []int{1, 2, 4}},":            "the third notebook measures, in minutes; package notebooks runs it",
	"docs/headless.md: perijove run notebooks/01-shared-x.ipynb -p workers=1,2 --html shared-x.html":         "package notebooks runs this notebook",
	`docs/headless.md: pip install "git+https://github.com/perijove/perijove#subdirectory=kernel/papermill"`: "kernel/e2e/clients installs the package and runs papermill",
	"CONTRIBUTING.md: go build ./...": "go test has built everything",
	"CONTRIBUTING.md: go test ./...":  "this test is a part of it",
}

// pages returns the Markdown files of docs/ and of the root, relative to this folder.
func pages(t *testing.T) []string {
	var all []string
	for _, pattern := range []string{"../*.md", "*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 5 {
		t.Fatalf("found only %q", all)
	}
	return all
}

// TestGoBlocks pastes the Go blocks of each page into one notebook, in their order, and runs it. A text block
// right below a Go block is the cell's output. A cell without one must not fail.
func TestGoBlocks(t *testing.T) {
	for _, page := range pages(t) {
		t.Run(filepath.Base(page), func(t *testing.T) {
			blocks := readBlocks(t, page)
			var cells []block
			for _, b := range blocks {
				if b.language == "go" && notRun[b.name(page)] == "" {
					cells = append(cells, b)
				}
			}
			if len(cells) == 0 {
				return
			}
			outputs := runCells(t, cells)
			for i, c := range cells {
				checkOutput(t, page, c, outputBlock(blocks, c), outputs[i])
			}
			if *update {
				updatePage(t, page, blocks, cells, outputs)
			}
		})
	}
}

// checkOutput compares what a cell showed with the text block below it.
func checkOutput(t *testing.T, page string, c block, want *block, got cellOutput) {
	switch {
	case want == nil && got.failed:
		t.Errorf("%s:%d: the cell fails:\n%s", page, c.line, got.text)
	case want != nil && !*update && normalize(*want, want.text) != normalize(*want, got.text):
		t.Errorf("%s:%d: the output is\n%s\nbut the page has\n%s", page, c.line, got.text, want.text)
	}
}

// number matches a number and, of a duration, its unit: a busy machine needs microseconds where the page has nanoseconds.
var number = regexp.MustCompile(`\d+([.,]\d+)*(\s?(ns|µs|ms|s|min)\b)?`)

// normalize removes what may differ between two runs: spaces at the ends of lines, and numbers where the page says so.
func normalize(b block, s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	s = strings.Join(lines, "\n")
	if b.info == "numbers vary" {
		s = strings.Join(strings.Fields(number.ReplaceAllString(s, "0")), " ")
	}
	return s
}

// outputBlock returns the text block right below c, if there is one.
func outputBlock(blocks []block, c block) *block {
	for i := range blocks {
		if b := &blocks[i]; b.language == "text" && b.line > c.end && b.line <= c.end+2 {
			return b
		}
	}
	return nil
}

func updatePage(t *testing.T, page string, blocks, cells []block, outputs []cellOutput) {
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(content), "\n")
	for i := len(cells) - 1; i >= 0; i-- {
		want := outputBlock(blocks, cells[i])
		if want == nil || normalize(*want, want.text) == normalize(*want, outputs[i].text) {
			continue
		}
		text := strings.Split(strings.TrimRight(outputs[i].text, "\n"), "\n")
		lines = append(lines[:want.line:want.line], append(text, lines[want.end-1:]...)...)
	}
	if err := os.WriteFile(page, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A cellOutput is what a cell showed, as text.
type cellOutput struct {
	text   string
	failed bool
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// runCells runs the blocks as the cells of one notebook, in an empty folder.
func runCells(t *testing.T, blocks []block) []cellOutput {
	type object = map[string]any
	var cells []object
	for _, b := range blocks {
		cells = append(cells, object{"cell_type": "code", "source": b.text, "metadata": object{}, "outputs": []any{}, "execution_count": nil})
	}
	dir := t.TempDir()
	data, err := json.Marshal(object{"cells": cells, "metadata": object{}, "nbformat": 4, "nbformat_minor": 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "page.ipynb"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(perijove, "run", "page.ipynb", "-o", "page.ipynb", "--allow-errors", "--timeout", "5m")
	run.Dir = dir
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("perijove run: %v\n%s", err, out)
	}
	return readOutputs(t, filepath.Join(dir, "page.ipynb"), len(blocks))
}

func readOutputs(t *testing.T, file string, n int) []cellOutput {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var nb struct {
		Cells []struct {
			Outputs []struct {
				OutputType string `json:"output_type"`
				Text       text
				Data       map[string]json.RawMessage
				Traceback  []string
			}
		}
	}
	if err := json.Unmarshal(data, &nb); err != nil {
		t.Fatal(err)
	}
	if len(nb.Cells) != n {
		t.Fatalf("the notebook has %d cells, want %d", len(nb.Cells), n)
	}
	outputs := make([]cellOutput, n)
	for i, c := range nb.Cells {
		var b strings.Builder
		for _, o := range c.Outputs {
			switch o.OutputType {
			case "stream":
				b.WriteString(string(o.Text))
			case "error":
				outputs[i].failed = true
				b.WriteString(escapes.ReplaceAllString(strings.Join(o.Traceback, "\n"), ""))
			default:
				var plain text
				if err := json.Unmarshal(o.Data["text/plain"], &plain); err != nil {
					t.Fatalf("cell %d: text/plain: %v", i, err)
				}
				b.WriteString(string(plain))
			}
			if !strings.HasSuffix(b.String(), "\n") {
				b.WriteByte('\n')
			}
		}
		outputs[i].text = b.String()
	}
	return outputs
}

// text is a string that may be written as a list of lines.
type text string

func (s *text) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		var lines []string
		err := json.Unmarshal(data, &lines)
		*s = text(strings.Join(lines, ""))
		return err
	}
	return json.Unmarshal(data, (*string)(s))
}

// TestShellBlocks runs the shell blocks of each page in one folder, whose HOME is empty.
func TestShellBlocks(t *testing.T) {
	for _, page := range pages(t) {
		t.Run(filepath.Base(page), func(t *testing.T) {
			dir := t.TempDir()
			for _, b := range readBlocks(t, page) {
				if b.language == "sh" && notRun[b.name(page)] == "" {
					runShell(t, page, dir, b)
				}
			}
		})
	}
}

func runShell(t *testing.T, page, dir string, b block) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"notebooks", "bench", "kernel", "lib", "go.mod", "go.sum"} { // what is there in a clone
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", b.text)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(perijove)+":"+os.Getenv("PATH"), "JUPYTER_DATA_DIR="+filepath.Join(dir, "jupyter"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s:%d: %v\n%s", page, b.line, err, out)
	}
}

// indented matches the beginning of a block of code without fences.
var indented = regexp.MustCompile(`(?m)^\n(    |\t)\S.*`)

// TestNotRun fails for an exception whose block is no longer there.
func TestNotRun(t *testing.T) {
	found := map[string]bool{}
	for _, page := range pages(t) {
		for _, b := range readBlocks(t, page) {
			found[b.name(page)] = true
			if b.language == "" {
				t.Errorf("%s:%d: the block does not say its language: go, sh or text", page, b.line)
			}
		}
	}
	for _, page := range pages(t) {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if name := filepath.Base(page); name == "ARCHITECTURE.md" || name == "RATIONALE.md" {
			continue // they have diagrams, and no examples
		}
		if at := indented.FindString(withoutBlocks(string(content))); at != "" {
			t.Errorf("%s: an indented block is not run: write it between fences: %q", page, at)
		}
	}
	for name, reason := range notRun {
		if !found[name] || reason == "" {
			t.Errorf("%q: no such block, or no reason", name)
		}
	}
}
