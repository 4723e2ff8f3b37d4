// Package worker is the process that holds a notebook's state.
package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/link"
)

// Main runs the worker.
func Main() {
	dir := os.Args[1]
	b, err := os.ReadFile(filepath.Join(dir, "symbols"))
	if err != nil {
		panic(err)
	}
	idx, err := link.OpenIndex(b)
	if err != nil {
		panic(err)
	}
	l, err := link.New(idx, func(p string) (string, error) {
		return filepath.Join(dir, "pkg", strings.ReplaceAll(p, "/", "+")+".a"), nil
	})
	if err != nil {
		panic(err)
	}
	for _, a := range os.Args[2:] {
		f := strings.Split(a, ",")
		fresh := f[1:]
		if len(fresh) == 1 {
			b, _ := os.ReadFile(f[0])
			objs, err := goobj.ParseArchive(b)
			if err != nil {
				panic(err)
			}
			for i := range objs[0].NumDef() {
				n := objs[0].Sym(i).Name()
				if strings.HasPrefix(n, "main.") && !strings.Contains(n, "..") && !strings.Contains(n, ".func") {
					fresh = append(fresh, n)
				}
			}
		}
		r, err := l.Load(link.Request{Object: f[0], Entry: f[1], Fresh: fresh, Init: true})
		if err != nil {
			fmt.Println("LOAD", err)
			os.Exit(3)
		}
		for _, i := range r.Inits {
			i()
		}
		if r.Entry != nil {
			r.Entry()
		}
	}
}

// Show is the display of a value.
func Show(v ...any) { fmt.Println(v...) }

// ShowError is the display of an error.
func ShowError(err error) { fmt.Println(err) }
