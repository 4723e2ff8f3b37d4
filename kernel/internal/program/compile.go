package program

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"sort"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/compiler"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// compile compiles the files of an emitter and returns the object.
func (b *builder) compile(ctx context.Context, e *emit.Emitter) (object string, err error) {
	paths := make([]string, 0, len(e.Paths))
	for path := range e.Paths {
		if path != "unsafe" {
			paths = append(paths, path)
		}
	}
	sort.Strings(paths)
	files := make([]compiler.File, 0, len(e.Files))
	for _, f := range e.Files {
		files = append(files, compiler.File{Name: f.Name, Text: f.Text()})
	}
	object, err = b.p.Compiler.Compile(ctx, paths, files)
	var refused *compiler.Error
	if errors.As(err, &refused) {
		if errs := b.compilerErrors(refused.Output); len(errs) > 0 {
			return "", errs
		}
		return "", fmt.Errorf("%s", mangle.Demangle(err.Error()))
	}
	return object, err
}

// compilerErrors reads lines of the form "Cell [3]:2:5: message". Lines that
// begin with a tab continue the message above.
func (b *builder) compilerErrors(out string) cell.Errors {
	var errs cell.Errors
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if more, ok := strings.CutPrefix(line, "\t"); ok && len(errs) > 0 {
			errs[len(errs)-1].Msg += " " + b.clean(more)
			continue
		}
		at, msg, ok := splitPosition(line)
		if _, isCell := cell.Number(at.Filename); !ok || !isCell {
			continue
		}
		errs = append(errs, b.errorAt(at, msg))
	}
	return errs.Sorted()
}

func splitPosition(line string) (at token.Position, msg string, ok bool) {
	head, msg, ok := strings.Cut(line, ": ")
	if !ok {
		return at, "", false
	}
	name, rest, ok := strings.Cut(head, "]:")
	if !ok {
		return at, "", false
	}
	at.Filename = name + "]"
	ln, col, _ := strings.Cut(rest, ":")
	at.Line, _ = strconv.Atoi(ln)
	at.Column, _ = strconv.Atoi(col)
	return at, msg, at.Line > 0
}
