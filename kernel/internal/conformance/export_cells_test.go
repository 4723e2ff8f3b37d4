package conformance

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export"
	"github.com/perijove/perijove/kernel/internal/image"
	nbfile "github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/session"
)

// smaller has parameters with which the notebooks measure less: a notebook gets them as with perijove run -p, its
// program as flags.
var smaller = map[string][]string{
	"01-shared-x": {"workers=1,2"},
	"03-speedup":  {"workers=1,2", "rounds=1"},
}

// A comparison compares a notebook with its program. In both, a cell that prints a mark follows each code
// cell.
type comparison struct {
	file, name, program string
	nb                  *nbfile.Notebook
	ids                 []string // of the code cells
}

// newComparison exports a notebook with marks to a folder, and compiles it.
func newComparison(t *testing.T, img *image.Image, exporter *export.Exporter, file, dir string) *comparison {
	t.Helper()
	c := &comparison{file: file, name: strings.TrimSuffix(filepath.Base(file), ".ipynb"), program: filepath.Join(dir, "program")}
	c.nb, c.ids = marked(t, file)
	if exportNotebook(t, exporter, file, c.nb, dir) {
		goInModule(t, img, dir, "build", "-o", c.program, ".")
	}
	return c
}

// run runs the notebook and the program, and compares what each cell prints.
func (c *comparison) run(t *testing.T, img *image.Image) {
	if err := c.nb.SetParameters(smaller[c.name]); err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, p := range smaller[c.name] {
		flags = append(flags, "-"+p)
	}
	want, err := runCells(t.Context(), img, c.nb, filepath.Dir(c.file))
	if err != nil {
		t.Fatal(err)
	}
	got := programOutputs(t, c.program, filepath.Dir(c.file), flags...)
	if t.Failed() {
		return
	}
	rules := varying[c.name]
	for id := range rules {
		if !slices.Contains(c.ids, id) {
			t.Errorf("there is no cell %s", id)
		}
	}
	words := vocabulary(t, c.nb)
	for _, id := range c.ids {
		if err := rules[id].compare(want[id], got[id], words); err != nil {
			t.Errorf("cell %s: %v\nthe program printed\n%s\nthe notebook\n%s", id, err, got[id], want[id])
		}
	}
}

// mark returns the text that is printed after a cell. No text of a notebook contains the first or last
// character of a mark.
func mark(id string) string { return "\x02" + id + "\x03" }

var marks = regexp.MustCompile("\x02([^\x03]*)\x03")

// marked reads a notebook, and adds a cell that prints a mark after each code cell. It returns the ids of the code cells.
func marked(t *testing.T, file string) (*nbfile.Notebook, []string) {
	t.Helper()
	nb, err := nbfile.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	var cells []*nbfile.Cell
	var ids []string
	for i, c := range nb.Cells {
		cells = append(cells, c)
		if c.Type != nbfile.CodeCell {
			continue
		}
		if c.ID == "" {
			c.ID = fmt.Sprint("cell ", i+1)
		}
		ids = append(ids, c.ID)
		m := parseNotebook(t, []string{fmt.Sprintf("fmt.Print(%q)", mark(c.ID))}).Cells[0]
		m.ID = "after " + c.ID
		cells = append(cells, m)
	}
	nb.Cells = cells
	return nb, ids
}

// split returns what was printed before each mark, by the mark's id.
func split(text string) map[string]string {
	out := map[string]string{}
	at := 0
	for _, m := range marks.FindAllStringSubmatchIndex(text, -1) {
		out[text[m[2]:m[3]]] = text[at:m[0]]
		at = m[1]
	}
	return out
}

// programOutputs runs a program, and returns what each cell prints.
func programOutputs(t *testing.T, program, dir string, flags ...string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, program, flags...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	if err := cmd.Run(); err != nil {
		t.Errorf("the program failed: %v\n%s\n%s", err, errs.String(), out.String())
	}
	return split(out.String())
}

// runCells runs a notebook, and returns what each cell prints. Directives that watch cells are left out: the program has the statements of these
// cells, and a comment in place of what the kernel shows about them. The error is that of a cell that must not fail.
func runCells(ctx context.Context, img *image.Image, nb *nbfile.Notebook, dir string) (map[string]string, error) {
	s, err := session.New(session.Config{Image: img, Dir: dir, ProgressDelay: noProgress})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	sinks := map[string]*printedParts{}
	for _, c := range nb.Cells {
		if c.Type != nbfile.CodeCell || c.HasTag(nbfile.TagSkip) {
			continue
		}
		sink := &printedParts{}
		sinks[c.ID] = sink
		reply := s.Execute(ctx, output.Request{Code: withoutWatching(c.Source), StoreHistory: true}, sink)
		if reply.Status != output.OK && !c.HasTag(nbfile.TagRaises) {
			return nil, fmt.Errorf("cell %s failed: %v", c.ID, reply.Error)
		}
	}
	out := map[string]string{}
	for id, sink := range sinks { // goroutines may have printed after the end of their cell
		out[id] = kernelMessages.ReplaceAllString(sink.text(), "")
	}
	return out, nil
}

// withoutWatching returns a cell without the directives %%trace, %%prof and %race, which show how the cell runs.
func withoutWatching(source string) string {
	parsed, errs := cell.Parse(1, source)
	if errs != nil {
		return source
	}
	lines := strings.Split(source, "\n")
	for _, d := range parsed.Directives {
		if slices.Contains([]string{"%%trace", "%%prof", "%race"}, d.Name) {
			lines[d.Pos.Line-1] = ""
		}
	}
	return strings.Join(lines, "\n")
}

// A printedParts is the sink of a cell. Its text is the standard output, and the text of displays, results and updates of displays, since a
// program prints each update. A display whose last update is empty, such as the progress of a long call, counts as
// removed.
type printedParts struct {
	recorder
	mu    sync.Mutex
	parts []part
}

// A part is a piece of text, with the display that shows it.
type part struct{ text, display string }

func (p *printedParts) add(text, display string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parts = append(p.parts, part{text, display})
}

func (p *printedParts) Stream(name, text string) {
	if name == output.Stdout {
		p.add(text, "")
	}
}

func (p *printedParts) Display(d output.Display) { p.add(plainText(d.Data), d.DisplayID) }

func (p *printedParts) Result(data output.Bundle, _ map[string]any) { p.add(plainText(data), "") }

// plainText returns the text of a bundle as a line, or "" if it is empty.
func plainText(data output.Bundle) string {
	text, _ := data["text/plain"].(string)
	if text == "" {
		return ""
	}
	return strings.TrimSuffix(text, "\n") + "\n"
}

func (p *printedParts) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := map[string]string{}
	for _, x := range p.parts {
		last[x.display] = x.text
	}
	var text strings.Builder
	for _, x := range p.parts {
		if x.display == "" || last[x.display] != "" {
			text.WriteString(x.text)
		}
	}
	return text.String()
}
