package program

import (
	"context"
	"errors"
	"fmt"
	"sort"

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
		if errs := b.checker().CompilerErrors(refused.Output); len(errs) > 0 {
			return "", errs
		}
		return "", fmt.Errorf("%s", mangle.Demangle(err.Error()))
	}
	return object, err
}
