package inlining

import (
	"fmt"
	"os"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// SharedCode returns the name of a function of an object that later units may use instead of an
// identical copy: an instance of generic code, or a method of a type of another package. It returns "" if
// there is none. Functions that compare or hash values do not count: they contain no calls that the
// compiler could inline.
func SharedCode(object string) (name string, err error) {
	b, err := os.ReadFile(object)
	if err != nil {
		return "", fmt.Errorf("inlining: %w", err)
	}
	list, err := goobj.ParseArchive(b)
	if err != nil || len(list) != 1 {
		return "", fmt.Errorf("inlining: %s: %d objects instead of one: %w", object, len(list), err)
	}
	defer goobj.Guard(&err)
	w := walk{o: list[0], seen: make([]bool, list[0].NumDef())}
	for i := range w.seen {
		if strings.HasPrefix(w.o.Sym(i).Name(), "main.") {
			w.add(i)
		}
	}
	return w.shared(), nil
}

// A walk visits the symbols of an object that the worker process would load: those that symbols of package main reach.
// An object also has code that package main does not reach, for the types of fields of other packages' types.
type walk struct {
	o     *goobj.Object
	seen  []bool
	queue []int
}

func (w *walk) add(i int) {
	if i < len(w.seen) && !w.seen[i] {
		w.seen[i] = true
		w.queue = append(w.queue, i)
	}
}

func (w *walk) addRef(r goobj.Ref) {
	if i, ok := w.o.Index(r); ok {
		w.add(i)
	}
}

func (w *walk) shared() (name string) {
	for len(w.queue) > 0 {
		s := w.o.Sym(w.queue[len(w.queue)-1])
		w.queue = w.queue[:len(w.queue)-1]
		if n := s.Name(); s.Kind().IsText() && isShared(n) {
			return n
		}
		for _, r := range s.Relocs() {
			w.addRef(r.Sym())
		}
		for _, a := range s.Auxs() {
			w.addRef(a.Sym())
		}
	}
	return ""
}

func isShared(function string) bool {
	comparesType := strings.HasPrefix(function, "type:.eq.") || strings.HasPrefix(function, "type:.hash.")
	return !comparesType && (symname.IsInstance(function) || symname.Package(function) != "main")
}
