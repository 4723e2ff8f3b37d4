package translate

import (
	"errors"
	"fmt"
	"go/format"
	"maps"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/gomodule"
	"github.com/perijove/perijove/kernel/internal/export/resolve"
	"github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
)

// Options configure a translation.
type Options struct {
	Name   string // name of the module and of the program
	Source string // the notebook's file name, for comments
	Dir    string // the notebook's folder
	GOROOT string
	Stored bool              // errors name the cells by their stored execution counts, and not by the counts of a run
	Force  bool              // keep directives that mean nothing in a program, as comments
	Notice func(*cell.Error) // called for output that the program prints in another way than the notebook; may be nil
}

// maxChecks is the maximum number of times that the program is written and checked.
const maxChecks = 12

// Program returns the Go files of a notebook's program, and its embedded files, by name. In place of a cell that is
// tagged "raises-exception" and does not compile, the program has a comment, since such a cell only prints an error
// in a notebook. The error is a cell.Errors if cells cannot be exported.
func Program(m *gomodule.Module, opt Options, nb *notebook.Notebook) (map[string][]byte, error) {
	b, err := withoutFailures(m, opt, nb)
	if err != nil {
		return nil, err
	}
	b.noticeTypes()
	return b.files()
}

// noticeTypes reports the types whose names differ from those of the notebook.
func (b *translation) noticeTypes() {
	for _, x := range b.All {
		if b.opt.Notice != nil && hasOtherName(x) {
			s := b.Steps[x.Entity.Step]
			pos := x.Entity.Decl.Pos
			b.opt.Notice(&cell.Error{Cell: s.Cell.N, Pos: pos, Source: cell.Line(s.Cell.Src, pos.Line),
				Msg: fmt.Sprintf("the name of the type %s is %s in the program, and %%T, %%#v and displays of its values show that: give the type another name", x.Entity.Name, x.GoName)})
		}
	}
}

// hasOtherName reports whether an instance is a type that the program declares with another name, which its values show.
func hasOtherName(x *resolve.Instance) bool {
	return x.Used && x.Entity.Kind == cell.Type && x.GoName != "" && x.GoName != x.Entity.Name && !x.Entity.Decl.Alias
}

func withoutFailures(m *gomodule.Module, opt Options, nb *notebook.Notebook) (*translation, error) {
	skip := map[int]string{}
	for {
		b, err := translate(m, opt, nb, skip)
		if err != nil {
			return nil, err
		}
		failed := b.expectedFailures()
		switch {
		case len(b.Errs) == 0:
			return b, nil
		case len(failed) == 0:
			return nil, b.Errs.Sorted()
		}
		maps.Copy(skip, failed)
	}
}

// expectedFailures returns the cells with errors, with their first messages, or nil if one of them must not fail.
func (b *translation) expectedFailures() map[int]string {
	failed := map[int]string{}
	for _, e := range b.Errs.Sorted() {
		if !b.MayFail[e.Cell] {
			return nil
		}
		if failed[e.Cell] == "" {
			failed[e.Cell] = e.Msg
		}
	}
	return failed
}

// translate makes the program. Errors of cells are in Book.Errs.
func translate(m *gomodule.Module, opt Options, nb *notebook.Notebook, skip map[int]string) (*translation, error) {
	b := newTranslation(opt, resolve.NewBook(exportdata.New(m, opt.GOROOT, nil), opt.Stored, skip))
	b.ReadCells(nb)
	b.directives()
	if len(b.Errs) > 0 {
		return b, nil
	}
	if err := m.Get(b.gets.paths); err != nil {
		return nil, err
	}
	if err := b.fetch(m); err != nil {
		return nil, err
	}
	looksFor := func(name string) bool { return m.LooksFor(append(b.paths(), resolve.DisplayPackage), name) }
	if err := b.Resolve(looksFor); err != nil || len(b.Errs) > 0 {
		return b, err
	}
	b.embed()
	b.addNames()
	b.divide()
	b.findParameters(nb)
	b.findFlags()
	if len(b.Errs) > 0 {
		return b, nil
	}
	for range maxChecks {
		b.main, b.test = b.write()
		b.checkChildren()
		if len(b.Errs) > 0 {
			return b, nil
		}
		if err := b.checkProgram(); err != nil {
			return nil, err
		}
		if !b.again {
			return b, nil
		}
	}
	return nil, errors.New("export: the loop that renames variables does not end; this is a bug in Perijove, not in the notebook; please report it")
}

// fetch compiles the packages that the cells use. It gets missing modules if the notebook has %autoget or is written for GoNB.
func (b *translation) fetch(m *gomodule.Module) error {
	if err := m.Fetch(b.paths()); err != nil || !b.gets.missing && !b.IsGoNB {
		return err
	}
	var missing []string
	for _, s := range b.Steps {
		for _, im := range s.Cell.Imports {
			if !m.Has(im.Path) && !strings.HasPrefix(im.Path, resolve.GonbModule) && im.Path != "unsafe" {
				missing = append(missing, im.Path)
			}
		}
	}
	return errors.Join(m.Get(missing), m.Fetch(missing))
}

// paths lists the packages that the cells may use.
func (b *translation) paths() []string {
	seen := map[string]bool{"context": true, "fmt": true, "os": true}
	for _, s := range b.Steps {
		for _, im := range s.Cell.Imports {
			seen[im.Path] = true
		}
		note := func(refs []cell.Ref) {
			for _, r := range refs {
				if r.Sel != "" {
					for _, p := range b.Pkgs.Std[r.Name] {
						seen[p] = true
					}
				}
			}
		}
		for _, d := range s.Cell.Decls {
			note(d.Refs)
		}
		for _, st := range s.Stmts {
			note(st.Refs)
		}
	}
	delete(seen, "unsafe")
	return sortedKeys(seen)
}

// files returns the formatted files.
func (b *translation) files() (map[string][]byte, error) {
	out := maps.Clone(b.embedded)
	for _, f := range []*file{b.main, b.test} {
		if f.text.Len() == 0 {
			continue
		}
		text, _ := f.complete(b.head(f))
		formatted, err := format.Source([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("export: cannot format the file %s; this is a bug in Perijove, not in the notebook; please report it: %w", f.name, err)
		}
		out[f.name] = formatted
	}
	return out, nil
}

// head returns the comment at the beginning of a file.
func (b *translation) head(f *file) string {
	if f == b.test {
		return ""
	}
	text := fmt.Sprintf("%s is the notebook %s as a program.", strings.ToUpper(b.opt.Name[:1])+b.opt.Name[1:], b.opt.Source)
	if b.Title != "" {
		text += "\n\n" + b.Title
	}
	return "// " + strings.ReplaceAll(text, "\n", "\n// ") + "\n"
}
