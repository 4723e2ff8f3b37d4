package compilerview

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// A Decision is a decision of the compiler about the code at a place in a cell.
type Decision struct {
	File      string // "Cell [1]"
	Line, Col int
	Kind      string // inlining, call, escape, bounds check, nil check
	Text      string
	Why       []string // for an escape: the steps by which the value reaches the heap
}

// ParseInlined returns the calls that are inlined, from the output of the compiler with the flag -m. The log of the
// flag -json does not have these calls.
func ParseInlined(output string) []Decision {
	var list []Decision
	for line := range strings.Lines(output) {
		place, name, ok := strings.Cut(strings.TrimSpace(line), ": inlining call to ")
		if !ok {
			continue
		}
		file, line, col, ok := splitPlace(place)
		if ok {
			list = append(list, Decision{File: file, Line: line, Col: col, Kind: "call", Text: "this call of " + mangle.Demangle(name) + " is inlined"})
		}
	}
	return list
}

// splitPlace splits a position such as Cell [1]:2:3, which may be followed by the position in the generated file,
// [f.go:4:5].
func splitPlace(place string) (file string, line, col int, ok bool) {
	if at := strings.LastIndexByte(place, '['); at > 0 && strings.HasSuffix(place, "]") && strings.Contains(place[at:], ":") {
		place = place[:at]
	}
	rest, last, ok := cutLast(place)
	if !ok {
		return "", 0, 0, false
	}
	file, number, ok := cutLast(rest)
	if !ok { // there is no column
		return rest, last, 0, true
	}
	return file, number, last, true
}

// cutLast cuts a number after the last colon.
func cutLast(s string) (rest string, number int, ok bool) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return s, 0, false
	}
	n, err := strconv.Atoi(s[at+1:])
	return s[:at], n, err == nil
}

// Sort sorts decisions by their places, and removes those that occur twice.
func Sort(list []Decision) []Decision {
	slices.SortStableFunc(list, func(a, b Decision) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Text, b.Text))
	})
	return slices.CompactFunc(list, func(a, b Decision) bool {
		return a.File == b.File && a.Line == b.Line && a.Col == b.Col && a.Kind == b.Kind && a.Text == b.Text
	})
}

// A diagnostic is an entry of the compiler's log, in the format of the Language Server Protocol.
type diagnostic struct {
	File  string `json:"file"` // name of the source file; only in the first entry of a log, which is not a diagnostic
	Range struct {
		Start position `json:"start"`
	} `json:"range"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Related []struct {
		Location struct {
			URI string `json:"uri"`
		} `json:"location"`
		Message string `json:"message"`
	} `json:"relatedInformation"`
}

type position struct {
	Line int `json:"line"`
	Col  int `json:"character"`
}

// kinds describes the entries of the log: the kind, and the text before the entry's message.
var kinds = map[string]struct{ kind, text string }{
	"canInlineFunction":    {"inlining", "can be inlined"},
	"cannotInlineFunction": {"inlining", "cannot be inlined"},
	"cannotInlineCall":     {"call", "this call is not inlined"},
	"escape":               {"escape", ""},
	"leak":                 {"escape", ""},
	"isInBounds":           {"bounds check", "the index is checked"},
	"isSliceInBounds":      {"bounds check", "the bounds of a slice are checked"},
	"copy":                 {"copy", ""},
}

// ReadLog reads the log of the compiler in a folder. files has the texts of the compiled files by name. Their line
// directives give the places in cells.
func ReadLog(dir string, files map[string]string) ([]Decision, error) {
	var list []Decision
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found, err := parseLog(data, files)
		list = append(list, found...)
		return err
	})
	return list, err
}

func parseLog(data []byte, files map[string]string) (list []Decision, err error) {
	var places *places
	for dec := json.NewDecoder(bytes.NewReader(data)); ; {
		var d diagnostic
		if err := dec.Decode(&d); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return list, fmt.Errorf("cannot read the log of the Go compiler: %w", err)
		}
		if d.File != "" {
			places = newPlaces(path.Base(d.File), files)
			continue
		}
		kind, known := kinds[d.Code]
		if !known || places == nil || d.Code == "escape" && d.Message == "" {
			continue
		}
		x := Decision{Kind: kind.kind, Text: kind.text}
		if at := places.of(d.Range.Start); at.IsValid() {
			x.File, x.Line, x.Col = at.Filename, at.Line, at.Column
		}
		if d.Message != "" && d.Code != "canInlineFunction" { // there it is the cost, which differs between releases
			x.Text = strings.TrimPrefix(x.Text+": "+mangle.Demangle(d.Message), ": ")
		}
		for _, r := range d.Related {
			if text, ok := strings.CutPrefix(r.Message, "escflow:"); ok {
				x.Why = append(x.Why, mangle.Demangle(strings.TrimSpace(text)))
			}
		}
		list = append(list, x)
	}
}

// places converts positions of a generated file to positions of cells.
type places struct {
	fset *token.FileSet
	file *token.File
}

func newPlaces(name string, files map[string]string) *places {
	text, ok := files[name]
	if !ok {
		return nil
	}
	p := &places{fset: token.NewFileSet()}
	f, _ := parser.ParseFile(p.fset, name, text, parser.SkipObjectResolution) // it was compiled
	if f == nil {
		return nil
	}
	p.file = p.fset.File(f.FileStart)
	return p
}

func (p *places) of(at position) token.Position {
	if at.Line < 1 || at.Line > p.file.LineCount() {
		return token.Position{}
	}
	pos := p.file.LineStart(at.Line)
	if end := p.file.Base() + p.file.Size(); int(pos)+at.Col-1 <= end && at.Col > 0 {
		pos += token.Pos(at.Col - 1)
	}
	return p.fset.Position(pos)
}
