package session

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
)

// historyDirective shows the text of executed cells.
func (r *run) historyDirective(d cell.DirectiveLine) error {
	var only [][2]int
	for _, word := range strings.Fields(strings.ReplaceAll(d.Args, ",", " ")) {
		from, to, isRange := strings.Cut(word, "-")
		first, err := strconv.Atoi(from)
		last := first
		if err == nil && isRange {
			last, err = strconv.Atoi(to)
		}
		if err != nil {
			return fmt.Errorf("%q is not the number of a cell or a range of numbers: write %%history 3 5-7", word)
		}
		only = append(only, [2]int{first, last})
	}
	list := slices.DeleteFunc(slices.Clone(r.session.History()), func(h output.HistoryEntry) bool {
		return len(only) > 0 && !slices.ContainsFunc(only, func(x [2]int) bool { return x[0] <= h.Line && h.Line <= x[1] })
	})
	if len(only) > 0 && len(list) == 0 {
		return errors.New("no cell with one of the given numbers has run")
	}
	for _, h := range list {
		r.print("%s\n%s\n\n", cell.Name(h.Line), strings.TrimRight(h.Input, "\n"))
	}
	return nil
}

// readFile reads the file that a directive names.
func (r *run) readFile(d cell.DirectiveLine) (name, text string, err error) {
	words, err := splitWords(d.Args)
	if err != nil {
		return "", "", err
	}
	if len(words) != 1 {
		return "", "", fmt.Errorf("the name of one file is needed: write %s FILE", d.Name)
	}
	name = words[0]
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(name, "~/") {
		name = filepath.Join(home, name[2:])
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.session.dir(), name)
	}
	b, err := os.ReadFile(name)
	return name, string(b), err
}

// loadDirective makes the front end replace the cell's text with the text of a file.
func (r *run) loadDirective(d cell.DirectiveLine) error {
	_, text, err := r.readFile(d)
	if err != nil {
		return err
	}
	if rest := strings.TrimSpace(r.code); strings.Contains(rest, "\n") {
		return errors.New("the text of the file replaces the cell, so %load must be the cell's only line")
	}
	r.next = &output.NextInput{Text: strings.TrimRight(text, "\n"), Replace: true}
	return nil
}

// runFileDirective sets the file whose text runs in place of the cell.
func (r *run) runFileDirective(d cell.DirectiveLine) error {
	name, text, err := r.readFile(d)
	if err != nil {
		return err
	}
	if strings.Contains(strings.TrimSpace(r.code), "\n") {
		return errors.New("the text of the file replaces the cell, so %run must be the cell's only line")
	}
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("the file %s is empty", name)
	}
	r.file = text
	return nil
}

// fmtDirective makes the front end replace the cell's text with the formatted text, without the directive.
func (r *run) fmtDirective(d cell.DirectiveLine) error {
	lines := strings.SplitAfter(r.code, "\n")
	if n := d.Pos.Line - 1; n < len(lines) {
		lines = slices.Delete(lines, n, n+1)
	}
	text, err := cell.Format(strings.Join(lines, ""))
	if err != nil {
		return err
	}
	r.next = &output.NextInput{Text: strings.TrimRight(text, "\n"), Replace: true}
	return nil
}

// strictDirective sets whether a cell whose value is a non-nil error fails.
func (r *run) strictDirective(d cell.DirectiveLine) error {
	switch strings.TrimSpace(d.Args) {
	case "", "on":
		r.session.strict = true
	case "off":
		r.session.strict = false
	default:
		return errors.New("the argument must be on or off: write %strict on or %strict off")
	}
	return nil
}

// printEnv prints the value of the environment variable only in the environment of cells. If only is empty, it prints
// all variables, sorted by name.
func (r *run) printEnv(only string) error {
	values := map[string]string{}
	for _, v := range append(append(os.Environ(), r.session.cfg.Env...), r.session.setup.Env...) {
		if name, value, ok := strings.Cut(v, "="); ok {
			values[name] = value
		}
	}
	if only != "" {
		value, ok := values[only]
		if !ok {
			return fmt.Errorf("there is no environment variable %s; %%env %s=VALUE sets it", only, only)
		}
		r.print("%s\n", value)
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		r.print("%s=%s\n", name, values[name])
	}
	return nil
}
