// Package notebook reads, runs, writes and exports .ipynb files.
//
// It decodes the nbformat 4 fields that it needs and keeps all others. It
// executes cells through output.Session and does not depend on the rest of the kernel.
package notebook

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"unicode/utf8"
)

// Cell types of nbformat 4.
const (
	CodeCell     = "code"
	MarkdownCell = "markdown"
	RawCell      = "raw"
)

// Tags of cells. They have the same meaning as in papermill and nbclient.
const (
	TagParameters = "parameters"
	TagInjected   = "injected-parameters"
	TagRaises     = "raises-exception"
	TagSkip       = "skip-execution"
)

// A Notebook is one .ipynb file in memory.
type Notebook struct {
	Cells []*Cell

	obj   object
	minor int
}

// A Cell is one cell of a notebook. A run replaces its outputs and its execution count, and never changes its source.
type Cell struct {
	Type           string
	ID             string // empty in files older than nbformat 4.5
	Source         string
	Tags           []string
	ExecutionCount int // 0 if the cell was not executed
	Outputs        []Output
	Attachments    map[string]map[string]string // content in base64, by file name and then by MIME type

	obj     object
	changed bool // ExecutionCount and Outputs differ from obj
}

// HasTag reports whether the cell's metadata has the tag.
func (c *Cell) HasTag(tag string) bool { return slices.Contains(c.Tags, tag) }

// Read reads a notebook file.
func Read(path string) (*Notebook, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	nb, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	return nb, nil
}

// Parse reads a notebook in nbformat 4.
func Parse(data []byte) (*Notebook, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := checkJSON(data); err != nil {
		return nil, err
	}
	nb := &Notebook{}
	if err := json.Unmarshal(data, &nb.obj); err != nil {
		return nil, fmt.Errorf("the file is not a notebook: %w", err)
	}
	if err := nb.checkVersion(); err != nil {
		return nil, err
	}
	raw, ok := nb.obj.get("cells")
	if !ok {
		return nil, errors.New(`the file is not a notebook: the file has no "cells"`)
	}
	var cells []json.RawMessage
	if err := json.Unmarshal(raw, &cells); err != nil || cells == nil {
		return nil, fmt.Errorf(`the file is not a notebook: the field "cells" is %s where a list is expected`, kindOf(raw))
	}
	for i, raw := range cells {
		c, err := parseCell(raw)
		if err != nil {
			return nil, fmt.Errorf("cell %d of %d is invalid: %w", i+1, len(cells), err)
		}
		nb.Cells = append(nb.Cells, c)
	}
	return nb, nil
}

func checkJSON(data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("the file is not a notebook: the file is empty")
	}
	if !utf8.Valid(data) {
		return errors.New("the file is not a notebook: the file is not UTF-8")
	}
	var v json.RawMessage
	err := json.Unmarshal(data, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		before := data[:min(int(syntax.Offset), len(data))]
		line := 1 + bytes.Count(before, []byte("\n"))
		column := len(before) - bytes.LastIndexByte(before, '\n') - 1
		return fmt.Errorf("the file is not a notebook: invalid JSON at line %d, column %d: %w", line, column, err)
	}
	return err
}

func (nb *Notebook) checkVersion() error {
	var major int
	if err := nb.obj.decode("nbformat", &major); err != nil {
		return fmt.Errorf("the file is not a notebook: %w", err)
	}
	if err := nb.obj.decode("nbformat_minor", &nb.minor); err != nil {
		return fmt.Errorf("the file is not a notebook: %w", err)
	}
	switch {
	case major == 0:
		return errors.New(`the file is not a notebook: the file has no "nbformat"`)
	case major < 4:
		return fmt.Errorf("the notebook has format %d, and format 4 is needed: "+
			"open and save the notebook in Jupyter, or run jupyter nbconvert --to notebook --inplace FILE", major)
	case major > 4:
		return fmt.Errorf("the notebook has format %d, which is newer than format 4, the newest that Perijove reads", major)
	}
	return nil
}

func parseCell(raw json.RawMessage) (*Cell, error) {
	c := &Cell{}
	if err := json.Unmarshal(raw, &c.obj); err != nil {
		return nil, err
	}
	var source multiline
	var metadata struct {
		Tags []string `json:"tags"`
	}
	err := errors.Join(
		c.obj.decode("cell_type", &c.Type),
		c.obj.decode("id", &c.ID),
		c.obj.decode("source", &source),
		c.obj.decode("metadata", &metadata),
		c.obj.decode("execution_count", &c.ExecutionCount),
		c.obj.decode("attachments", &c.Attachments),
	)
	if err != nil {
		return nil, err
	}
	c.Source, c.Tags = string(source), metadata.Tags
	switch c.Type {
	case CodeCell:
		err = c.obj.decode("outputs", &c.Outputs)
	case MarkdownCell, RawCell:
	case "":
		err = errors.New(`the cell has no "cell_type"`)
	default:
		err = fmt.Errorf("the cell's type %q is not code, markdown or raw", c.Type)
	}
	return c, err
}

// newCode returns a code cell that is not yet part of the notebook.
func (nb *Notebook) newCode(source string, tags ...string) (*Cell, error) {
	c := &Cell{Type: CodeCell, Source: source, Tags: tags, changed: true}
	if nb.minor >= 5 {
		id := make([]byte, 4)
		rand.Read(id)
		c.ID = hex.EncodeToString(id)
		if err := c.obj.set("id", c.ID); err != nil {
			return nil, err
		}
	}
	err := errors.Join(
		c.obj.set("cell_type", c.Type),
		c.obj.set("metadata", map[string][]string{"tags": tags}),
		c.obj.set("source", multiline(source)),
	)
	return c, err
}

func (c *Cell) clear() {
	c.ExecutionCount, c.Outputs, c.changed = 0, nil, true
}

// encode returns the cell's object with the current execution count and outputs.
func (c *Cell) encode() (object, error) {
	if !c.changed {
		return c.obj, nil
	}
	var count any
	if c.ExecutionCount > 0 {
		count = c.ExecutionCount
	}
	outputs := c.Outputs
	if outputs == nil {
		outputs = []Output{}
	}
	err := errors.Join(c.obj.set("execution_count", count), c.obj.set("outputs", outputs))
	return c.obj, err
}

// Bytes returns the notebook in the format in which Jupyter writes it, so that a front end that opens and saves the
// file does not change it. Only numbers keep the form in which they were read.
func (nb *Notebook) Bytes() ([]byte, error) {
	cells := make([]object, len(nb.Cells))
	for i, c := range nb.Cells {
		var err error
		if cells[i], err = c.encode(); err == nil {
			err = canonicalCell(&cells[i])
		}
		if err != nil {
			return nil, fmt.Errorf("cannot encode cell %d: %w", i+1, err)
		}
	}
	if err := nb.obj.set("cells", cells); err != nil {
		return nil, err
	}
	raw, err := nb.obj.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := writeCanonical(&b, raw, 0); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Write writes the notebook to path. It replaces the file atomically, so the old file stays if the write fails.
func (nb *Notebook) Write(path string) error {
	data, err := nb.Bytes()
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return WriteFile(path, data)
}
