package notebooks

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// A stored is the part of a notebook file that the checks need. The checks do not use
// the kernel's reader, so that they see the file as Jupyter does.
type stored struct {
	Format int          `json:"nbformat"`
	Cells  []storedCell `json:"cells"`
}

type storedCell struct {
	ID       string         `json:"id"`
	Type     string         `json:"cell_type"`
	Source   lines          `json:"source"`
	Count    *int           `json:"execution_count"`
	Outputs  []storedOutput `json:"outputs"`
	Metadata struct {
		Tags []string `json:"tags"`
	} `json:"metadata"`
}

type storedOutput struct {
	Type   string           `json:"output_type"`
	Name   string           `json:"name"`
	Text   lines            `json:"text"`
	Data   map[string]lines `json:"data"`
	EName  string           `json:"ename"`
	EValue string           `json:"evalue"`
}

// lines is text that is stored as a list of lines, as one string, or as a JSON document.
type lines string

func (l *lines) UnmarshalJSON(data []byte) error {
	var list []string
	if json.Unmarshal(data, &list) == nil {
		*l = lines(strings.Join(list, ""))
		return nil
	}
	var s string
	if json.Unmarshal(data, &s) != nil {
		s = string(data)
	}
	*l = lines(s)
	return nil
}

func read(t *testing.T, path string) *stored {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var nb stored
	if err := json.Unmarshal(data, &nb); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if nb.Format != 4 {
		t.Fatalf("%s: nbformat %d", path, nb.Format)
	}
	return &nb
}

// cell returns the cell with the identifier.
func (nb *stored) cell(t *testing.T, id string) storedCell {
	t.Helper()
	for _, c := range nb.Cells {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("no cell %q", id)
	return storedCell{}
}

// checkExecuted reports cells that failed or were not run.
func checkExecuted(t *testing.T, nb *stored) {
	t.Helper()
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			if o.Type == "error" && !c.mayFail() {
				t.Errorf("cell %s failed: %s: %s", c.ID, o.EName, o.EValue)
			}
		}
		if c.Type == "code" && c.Count == nil {
			t.Errorf("cell %s was not executed", c.ID)
		}
	}
}

// mayFail reports whether the notebook says that the cell may fail.
func (c storedCell) mayFail() bool { return slices.Contains(c.Metadata.Tags, "raises-exception") }

// printed returns the text that the cell printed to a stream.
func (c storedCell) printed(stream string) string {
	var b strings.Builder
	for _, o := range c.Outputs {
		if o.Type == "stream" && o.Name == stream {
			b.WriteString(string(o.Text))
		}
	}
	return b.String()
}

// stdout returns the text that the cell printed to standard output.
func (c storedCell) stdout() string { return c.printed("stdout") }

// shown returns the last rich output of a MIME type, or "".
func (c storedCell) shown(mime string) string {
	form := ""
	for _, o := range c.Outputs {
		if text, ok := o.Data[mime]; ok {
			form = string(text)
		}
	}
	return form
}
