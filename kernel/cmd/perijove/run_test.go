package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/output"
)

// echoSession prints each cell's code; a cell with the code "fail" fails. The runner must not call the methods
// of the embedded interface: they panic.
type echoSession struct {
	output.Session
	closed bool
}

func (e *echoSession) Execute(_ context.Context, req output.Request, sink output.Sink) output.Reply {
	sink.Started(1)
	if req.Code == "fail" {
		err := &output.Error{Name: "panic", Value: "oh no", Traceback: []string{"Cell [1] line 1:1"}}
		sink.Error(err)
		return output.Reply{Status: output.Failed, ExecutionCount: 1, Error: err}
	}
	sink.Stream(output.Stdout, req.Code)
	return output.Reply{Status: output.OK, ExecutionCount: 1}
}

func (e *echoSession) Close() error {
	e.closed = true
	return nil
}

type runResult struct {
	log     string
	err     error
	dir     string
	session *echoSession
}

// run executes "perijove run" for a notebook whose second cell is code. DIR in args stands
// for the notebook's folder.
func run(t *testing.T, code string, args ...string) runResult {
	t.Helper()
	dir := t.TempDir()
	file := `{"cells":[{"cell_type":"code","id":"a","metadata":{"tags":["parameters"]},"source":"n := 1"},
		{"cell_type":"code","id":"b","metadata":{},"source":"` + code + `"}],"metadata":{},"nbformat":4,"nbformat_minor":5}`
	if err := os.WriteFile(filepath.Join(dir, "nb.ipynb"), []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	r := runResult{dir: dir, session: &echoSession{}}
	cmd := runCommand(func(_ context.Context, sessionDir string) (output.Session, error) {
		if sessionDir != dir {
			t.Errorf("the session's folder is %s, want %s", sessionDir, dir)
		}
		return r.session, nil
	})
	var log bytes.Buffer
	cmd.SetOut(&log)
	cmd.SetErr(&log)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "DIR", dir)
	}
	cmd.SetArgs(append(args, filepath.Join(dir, "nb.ipynb")))
	r.err = cmd.ExecuteContext(context.Background())
	r.log = log.String()
	return r
}

func TestRunWritesNotebookAndPage(t *testing.T) {
	r := run(t, "x", "-o", "DIR/out.ipynb", "--html", "DIR/out.html", "-p", "n=7")
	if r.err != nil {
		t.Fatal(r.err)
	}
	nb, err := notebook.Read(filepath.Join(r.dir, "out.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	if got := nb.Cells[1].Source; got != "// Parameters of this run\nn = 7" {
		t.Errorf("injected %q", got)
	}
	if got := nb.Cells[2].Outputs; len(got) != 1 || got[0].Text != "x" {
		t.Errorf("outputs %+v", got)
	}
	page, err := os.ReadFile(filepath.Join(r.dir, "out.html"))
	if err != nil || !strings.Contains(string(page), "<title>nb</title>") {
		t.Errorf("page is %.80q, %v", page, err)
	}
	written, err := os.ReadFile(filepath.Join(r.dir, "out.ipynb"))
	for _, want := range []string{`"display_name": "Go (Perijove)"`, `"codemirror_mode": "go"`, `"version": "1.`} {
		if err != nil || !bytes.Contains(written, []byte(want)) {
			t.Errorf("no %s in the metadata of %s, %v", want, written, err)
		}
	}
	if !strings.Contains(r.log, "[3/3] x") || !r.session.closed {
		t.Errorf("log %q, session closed: %v", r.log, r.session.closed)
	}
}

func TestRunFailsWithTheCell(t *testing.T) {
	r := run(t, "fail", "-o", "DIR/nb.ipynb")
	var cellErr *notebook.CellError
	if !errors.As(r.err, &cellErr) || cellErr.Number != 2 {
		t.Errorf("error %v", r.err)
	}
	if !strings.Contains(r.log, "Cell [1] line 1:1") || !strings.Contains(r.log, "Error: cell 2 (fail): panic: oh no") {
		t.Errorf("log %q", r.log)
	}
	nb, err := notebook.Read(filepath.Join(r.dir, "nb.ipynb"))
	if err != nil || len(nb.Cells[1].Outputs) != 1 || nb.Cells[1].Outputs[0].Type != notebook.ErrorOutput {
		t.Errorf("the failed run was not written: %v", err)
	}
	if r := run(t, "fail", "--allow-errors"); r.err != nil {
		t.Errorf("with --allow-errors: %v", r.err)
	}
}

func TestRunRefusesBadUse(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"-p", "m=1"}, "there is no parameter m; the parameters are: n int"},
		{[]string{"-p", "n=x"}, "the value must be a whole number"},
		{[]string{"--timeout", "-1s"}, "must not be negative"},
		{[]string{"DIR/none.ipynb"}, "accepts 1 arg"},
		{[]string{"--html", "DIR/none/page.html"}, "/none: no such file or directory"},
		{[]string{"-o", "DIR"}, "a folder has that name"},
	}
	for _, tt := range tests {
		r := run(t, "x", tt.args...)
		if r.err == nil || !strings.Contains(r.err.Error(), tt.want) || r.session.closed {
			t.Errorf("%q: error %v, want %q in it", tt.args, r.err, tt.want)
		}
	}
}

func TestRunRefusesOtherLanguages(t *testing.T) {
	for metadata, want := range map[string]string{
		`{"kernelspec":{"name":"python3","language":"python"}}`: "in python, not in Go",
		`{"language_info":{"name":"R"}}`:                        "in r, not in Go",
		`{"kernelspec":{"name":"gonb","language":"go"}}`:        "",
		`{"kernelspec":{"name":"perijove"}}`:                    "",
		`{"kernelspec":7}`:                                      "",
	} {
		file := filepath.Join(t.TempDir(), "nb.ipynb")
		if err := os.WriteFile(file, []byte(`{"cells":[],"metadata":`+metadata+`,"nbformat":4,"nbformat_minor":5}`), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := (&runFlags{}).read(file)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", metadata, err, want)
		}
	}
}
