// Package compilerview shows what the compiler made of functions: their assembly by source line, and its decisions on
// inlining, escapes and bounds checks. It reads the listing of the flag -S, and the log of the flag -json.
package compilerview

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// A Function is a compiled function.
type Function struct {
	Name         string // name of the function without its package
	Size         int    // size of the function's code in bytes
	Frame        int    // size of the function's stack frame in bytes
	Instructions []Instruction
}

// An Instruction is a line of a function's listing.
type Instruction struct {
	Offset int    // offset in the function's code in bytes
	File   string // "Cell [1]", or the name of a file from which a function was inlined
	Line   int
	Text   string
}

// ParseAssembly reads a listing that the compiler writes with the flag -S.
func ParseAssembly(text string) []*Function {
	var list []*Function
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if f, ok := header(line); ok {
			list = append(list, f)
			continue
		}
		if i, ok := instruction(line); ok && len(list) > 0 {
			f := list[len(list)-1]
			f.Instructions = append(f.Instructions, i)
		}
	}
	return slices.DeleteFunc(list, func(f *Function) bool { return f.Name == "" })
}

// header parses the first line of a symbol: main.f STEXT size=126 args=0x18 locals=0x18. The function of data has no name.
func header(line string) (f *Function, ok bool) {
	if line == "" || line[0] == '\t' || line[0] == ' ' {
		return nil, false
	}
	name, rest, ok := strings.Cut(line, " STEXT ")
	if !ok {
		return &Function{}, strings.Contains(line, " S")
	}
	f = &Function{Name: mangle.Demangle(strings.TrimPrefix(name, "main."))}
	for _, word := range strings.Fields(rest) {
		key, value, _ := strings.Cut(word, "=")
		n, err := strconv.ParseInt(value, 0, 64)
		switch {
		case err != nil:
		case key == "size":
			f.Size = int(n)
		case key == "locals":
			f.Frame = int(n)
		}
	}
	return f, true
}

// instruction parses a line of a function: offsets, the position in parentheses, and the instruction, separated by tabs. ok is false
// for other lines, and for instructions that make tables and no code.
func instruction(line string) (i Instruction, ok bool) {
	fields := strings.Split(line, "\t")
	if len(fields) < 3 || fields[0] != "" || !strings.HasPrefix(fields[1], "0x") {
		return i, false
	}
	switch fields[2] {
	case "TEXT", "PCDATA", "FUNCDATA":
		return i, false
	}
	offset, place, _ := strings.Cut(fields[1], " ")
	n, err := strconv.ParseInt(offset, 0, 64)
	_, place, found := strings.Cut(place, "(")
	if err != nil || !found {
		return i, false
	}
	place = strings.TrimSuffix(place, ")")
	i.Offset = int(n)
	if i.File, i.Line, _, ok = splitPlace(place); !ok {
		return i, false
	}
	i.Text = mangle.Demangle(strings.Join(fields[2:], " "))
	return i, true
}

// Matches reports whether a user means f by a name such as f, T.M or (*T).M: f is the function or method with that
// name, or a function literal in it, or an instance of it.
func (f *Function) Matches(name string) bool {
	name = plain(name)
	rest, ok := strings.CutPrefix(plain(f.Name), name)
	return ok && (rest == "" || rest[0] == '[' || strings.HasPrefix(rest, ".func") || strings.HasPrefix(rest, "-range"))
}

// plain removes the parts of a method's name that say that its receiver is a pointer.
func plain(name string) string { return strings.NewReplacer("(*", "", ")", "").Replace(name) }

// Assembly returns the assembly of a function by source line. source returns a line of a cell's file, or "" if it has
// none.
func (f *Function) Assembly(source func(file string, line int) string) string {
	type place struct {
		file string
		line int
	}
	byPlace := map[place][]Instruction{}
	var places []place
	for _, i := range f.Instructions {
		p := place{i.File, i.Line}
		if byPlace[p] == nil {
			places = append(places, p)
		}
		byPlace[p] = append(byPlace[p], i)
	}
	own := ""
	if len(places) > 0 {
		own = places[0].file
	}
	slices.SortStableFunc(places, func(a, b place) int { // the function's file first
		return cmp.Or(boolCompare(a.file != own, b.file != own), cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d bytes, stack frame of %d bytes\n", f.Name, f.Size, f.Frame)
	for _, p := range places {
		name := p.file
		if strings.HasPrefix(name, "/") {
			name = path.Join(path.Base(path.Dir(name)), path.Base(name))
		}
		fmt.Fprintf(&b, "%s line %d: %s\n", name, p.line, strings.TrimSpace(source(p.file, p.line)))
		for _, i := range byPlace[p] {
			fmt.Fprintf(&b, "    %04x  %s\n", i.Offset, i.Text)
		}
	}
	return b.String()
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
