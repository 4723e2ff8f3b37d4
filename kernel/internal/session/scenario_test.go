package session

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/traceback"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite what the scenarios in testdata expect")

// TestScenarios runs the notebooks in testdata, one text file each. A file
// named "cell" is executed, and the file "want" after it has the expected output. The
// name may have more words: "cell interrupt after TEXT" interrupts the cell once it has
// printed TEXT, "cell input LINE" answers its input request. "file NAME" is written
// to the notebook's folder. In a scenario that uses the functions of helpers, these are declared first.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runScenario(t, file)
		})
	}
}

// helpers are functions with which cells wait for an event without a timeout.
//
// when starts a goroutine that belongs to no cell. Once the stack trace of the goroutine that called when contains a
// text, such as the state "chan receive" or a function, the new goroutine calls f.
//
// number returns the beginning of the calling goroutine's stack trace, "goroutine N ", and
// gone waits until that goroutine has ended.
const helpers = `import "runtime/pprof"

func when(where string, f func()) {
	caller := number()
	go func() {
		pprof.SetGoroutineLabels(context.Background())
		for !strings.Contains(trace(caller), where) {
			time.Sleep(time.Millisecond)
		}
		f()
	}()
}

func number() string {
	b := make([]byte, 30)
	name, _, _ := strings.Cut(string(b[:runtime.Stack(b, false)]), "[")
	return name
}

func gone(name string) {
	for trace(name) != "" {
		time.Sleep(time.Millisecond)
	}
}

func trace(name string) string {
	b := make([]byte, 1<<18)
	_, text, _ := strings.Cut(string(b[:runtime.Stack(b, true)]), name+"[")
	text, _, _ = strings.Cut(text, "\n\n")
	return text
}
`

// noBars turns off the automatic progress bars of the worker process: whether a call takes long enough for one depends
// on how busy the machine is.
const noBars = `import "github.com/perijove/perijove/lib/progresshost"

progresshost.SetHost(nil)
`

// mayShowBar matches calls that show a progress bar if they take longer than a second.
var mayShowBar = regexp.MustCompile(`\b(mp\.Map|mp\.ForEach|speedup\.Measure)\b`)

var callsHelper = regexp.MustCompile(`\b(when|gone)\(`)

func giveHelpers(t *testing.T, s *Session) {
	t.Helper()
	runSilently(t, s, helpers)
}

func runSilently(t *testing.T, s *Session, code string) {
	t.Helper()
	if r := s.Execute(t.Context(), output.Request{Code: code, Silent: true}, &transcript{}); r.Status != output.OK {
		t.Fatal(r.Error)
	}
}

func runScenario(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := newTestSession(t)
	if callsHelper.Match(txtar.Format(a)) {
		giveHelpers(t, s)
	}
	if mayShowBar.Match(txtar.Format(a)) {
		runSilently(t, s, noBars)
	}
	var out []txtar.File
	for _, f := range a.Files {
		verb, rest, _ := strings.Cut(f.Name, " ")
		if verb == "file" {
			writeFile(t, filepath.Join(s.cfg.Dir, rest), f.Data)
			out = append(out, f)
		}
		if verb != "cell" {
			continue
		}
		got := runStep(t, s, rest, string(f.Data))
		out = append(out, f, txtar.File{Name: "want", Data: []byte(got)})
	}
	if *update {
		a.Files = out
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(out) != len(a.Files) {
		t.Fatalf("%d files, %d expected: run with -update", len(a.Files), len(out))
	}
	for i, n := 0, 0; i < len(out); i++ {
		if out[i].Name != "want" {
			continue
		}
		n++
		if got, want := string(out[i].Data), string(a.Files[i].Data); got != want {
			t.Errorf("%s, cell %d:\n%s\ngot\n%s\nwant\n%s", file, n, out[i-1].Data, got, want)
		}
	}
}

// writeFile writes a file and makes its folder.
func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// runStep executes a cell and returns its transcript.
func runStep(t *testing.T, s *Session, how, code string) string {
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	tr := &transcript{}
	if text, ok := strings.CutPrefix(how, "interrupt after "); ok {
		tr.trigger, tr.action = text, func() { go s.Interrupt() }
	}
	if line, ok := strings.CutPrefix(how, "input "); ok {
		tr.input = &line
	}
	reply := s.Execute(ctx, output.Request{Code: code, StoreHistory: true, AllowStdin: tr.input != nil}, tr)
	if ctx.Err() != nil {
		t.Fatalf("the cell hangs:\n%s", code)
	}
	text := tr.text()
	if reply.Status != output.OK && reply.Error == nil {
		text += "status " + reply.Status + "\n"
	}
	if n := reply.NextInput; n != nil {
		text += fmt.Sprintf("[next input, replace %v]\n%s\n", n.Replace, n.Text)
	}
	return text
}

// A transcript renders a cell's output as text, with process numbers replaced.
type transcript struct {
	mu      sync.Mutex
	b       strings.Builder
	last    string
	trigger string
	action  func()
	input   *string
}

var (
	pids      = regexp.MustCompile(`\b\d+/\d+\b`)
	durations = regexp.MustCompile(`\(\d+\.\d\ds\)`) // durations of tests
	inProcess = regexp.MustCompile(`\bprocess \d+\b`)
	stdLines  = regexp.MustCompile(`(?m)^([a-z][a-z0-9_/]*\.(?:go|s)) line \d+`) // differ between Go releases
)

// measurements replaces the parts of the output of %time, %timeit and %%trace that differ between runs.
var measurements = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`(?m)^CPU times: user .*, sys: .*, total: .*$`), "CPU times: user TIME, sys: TIME, total: TIME"},
	{regexp.MustCompile(`(?m)^Wall time: .*$`), "Wall time: TIME"},
	{regexp.MustCompile(`(?m)^Allocated: .*\n`), ""}, // includes the allocations of other goroutines
	{regexp.MustCompile(`(?m)^[\d.]+ \S+ per loop`), "TIME per loop"},
	{regexp.MustCompile(`(?m)^[\d.]+ \S+ ± [\d.]+ \S+ per loop`), "TIME ± TIME per loop"},
	{regexp.MustCompile(`(?m)^[\d.]+ \S+ in ([\d,]+ allocations? per loop)$`), "SIZE in $1"},
	// %goroutines
	{regexp.MustCompile(`, for [\d.hmsµn]+ to [\d.hms]+:`), ", for TIME to TIME:"},
	{regexp.MustCompile(`top">for [\d.hmsµn]+ to [\d.hms]+<`), `top">for TIME to TIME<`},
	{regexp.MustCompile(`(?m)^\d+(,\d+)* (\d+ × )?(\S.*), for`), "IDS $2$3, for"},
	{regexp.MustCompile(`(<tr><td style="text-align:left;vertical-align:top">)\d+(,\d+)*<`), "${1}IDS<"},
	// %%bench
	{regexp.MustCompile(`(?m)^benchmark +time/op +`), "benchmark  time/op  "},
	{regexp.MustCompile(`(?m)^(\S+) +[\d.]+ [nµm]?s(?: ± \S+)? {2,}`), "$1  TIME  "},
	{regexp.MustCompile(`<td(?: title="[^"]*")?>[\d.]+ [nµm]?s[^<]*</td>`), "<td>TIME</td>"},
	{regexp.MustCompile(`(?s)<svg[^>]*>\s*<desc>[^<]*time per operation.*?</svg>`), "CHART"},
	{regexp.MustCompile(`(?s)<div style="overflow-x:auto"><div style="position:relative[^>]*><img alt="Timeline .*?</div></div>`), "TIMELINE"},
	{regexp.MustCompile(`(?s)\S+ on \d+ cores, .*?go tool trace \S+`), "TIMES\ngo tool trace FILE"},
}

func (tr *transcript) text() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	text := durations.ReplaceAllString(pids.ReplaceAllString(tr.b.String(), "PID/TID"), "(TIME)")
	text = stdLines.ReplaceAllString(text, "$1 line N")
	for _, m := range measurements {
		text = m.pattern.ReplaceAllString(text, m.text)
	}
	return inProcess.ReplaceAllString(text, "process PID")
}

// part writes a heading if the last output was of another kind.
func (tr *transcript) part(name string) {
	if tr.last != name {
		if s := tr.b.String(); s != "" && !strings.HasSuffix(s, "\n") {
			tr.b.WriteString("\n")
		}
		fmt.Fprintf(&tr.b, "[%s]\n", name)
	}
	tr.last = name
}

func (tr *transcript) Started(int) {}

func (tr *transcript) Stream(name, text string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.part(name)
	tr.b.WriteString(text)
	if tr.trigger != "" && strings.Contains(tr.b.String(), tr.trigger) {
		tr.trigger = ""
		tr.action()
	}
}

func (tr *transcript) bundle(kind string, data output.Bundle) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.last = ""
	for _, mime := range []string{"text/html", "image/svg+xml", "text/markdown", "text/plain"} {
		if v, ok := data[mime].(string); ok {
			tr.part(kind + " " + mime)
			tr.b.WriteString(strings.TrimSuffix(v, "\n") + "\n")
		}
	}
	tr.last = ""
}

func (tr *transcript) Display(d output.Display) {
	if d.Update && len(d.Data) == 0 {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.part("removed")
		return
	}
	if d.Update {
		tr.bundle("update", d.Data)
	} else {
		tr.bundle("display", d.Data)
	}
}
func (tr *transcript) Result(data output.Bundle, _ map[string]any) { tr.bundle("result", data) }

func (tr *transcript) Error(e *output.Error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.part("error " + e.Name)
	lines := e.Traceback
	if e.Name == traceback.Interrupted && len(lines) > 2 && lines[0] == "the cell was interrupted" && strings.HasPrefix(lines[1], "Cell [") {
		lines = append(lines[:1:1], afterCalls(lines[1:])...) // the line within a loop differs between runs
	}
	tr.b.WriteString(strings.Join(lines, "\n") + "\n")
}

// afterCalls returns lines without the calls at the beginning.
func afterCalls(lines []string) []string {
	for len(lines) > 0 && (strings.HasPrefix(lines[0], "Cell [") || strings.HasPrefix(lines[0], "    ")) {
		lines = lines[1:]
	}
	return lines
}

func (tr *transcript) Clear(bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.part("clear")
}

func (tr *transcript) Comm(m output.Comm) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.part(fmt.Sprintf("comm %s %s", m.Kind, m.Target))
	tr.b.Write(append(m.Data, '\n'))
	if len(m.Buffers) > 0 {
		fmt.Fprintf(&tr.b, "buffers %x\n", m.Buffers)
	}
	tr.last = ""
}

func (tr *transcript) Input(_ context.Context, prompt string, password bool) (string, error) {
	if prompt != "" {
		tr.mu.Lock()
		tr.part(fmt.Sprintf("input %s password=%v", prompt, password))
		tr.mu.Unlock()
	}
	if tr.input == nil {
		return "", errors.New("this front end allows no input")
	}
	return *tr.input, nil
}
