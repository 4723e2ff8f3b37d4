package image

import (
	"bytes"
	"fmt"
	"strings"
)

// instancesPackage is the package of the worker process with instances of generic code.
const instancesPackage = ownPackages + "perijove-worker/instances"

// Type arguments of the instances that the worker process contains: those that cells use most.
var (
	elementTypes  = []string{"int", "float64", "string", "bool", "[]byte", "[]int", "[]float64", "[]string"}
	valueTypes    = []string{"int", "int64", "float64", "bool"}
	argumentTypes = []string{"int", "float64", "string", "mp.None"}
	resultTypes   = []string{"int", "float64", "string", "bool"}
)

// instanceTypes are the generic types of package mp of which the worker process contains instances.
var instanceTypes = []struct {
	name string
	args []string
}{
	{"Queue", elementTypes}, {"JoinableQueue", elementTypes}, {"Conn", elementTypes},
	{"Value", valueTypes}, {"Array", valueTypes}, {"Future", resultTypes}, {"Call", resultTypes},
}

// instances returns the source of a package with a function All, which refers to the instances that the worker process contains.
func instances() []byte {
	var w bytes.Buffer
	fmt.Fprintf(&w, "package instances\n\nimport (\n\t\"context\"\n\t\"slices\"\n\n\t%q\n)\n\nfunc All() []any {\n\treturn []any{\n\t\tcontext.Canceled,\n", libraryMP)
	each := func(types []string, expressions ...string) {
		for _, t := range types {
			for _, e := range expressions {
				fmt.Fprintf(&w, "\t\t%s,\n", strings.ReplaceAll(e, "T", t))
			}
		}
	}
	for _, t := range instanceTypes {
		each(t.args, "(*mp."+t.name+"[T])(nil)")
	}
	each(elementTypes, "mp.NewQueue[T]", "mp.NewJoinableQueue[T]", "mp.NewPipe[T]", "slices.Values[[]T]")
	each(valueTypes, "mp.NewValue[T]", "mp.NewArray[T]")
	each([]string{"int", "int64"}, "mp.Add[T]")
	for _, a := range argumentTypes {
		for _, form := range []string{"func(A)", "func(A) error", "func(context.Context, A)", "func(context.Context, A) error"} {
			each([]string{strings.ReplaceAll(form, "A", a)}, "mp.ForEach["+a+", T]", "mp.Start["+a+", T]", "mp.StartIn["+a+", T]")
		}
		for _, r := range resultTypes {
			for _, form := range []string{"func(A) R", "func(A) (R, error)", "func(context.Context, A) R", "func(context.Context, A) (R, error)"} {
				args := "[" + r + ", " + a + ", T]"
				each([]string{strings.NewReplacer("A", a, "R", r).Replace(form)}, "mp.Map"+args, "mp.Stream"+args, "mp.StreamUnordered"+args, "mp.Submit"+args, "mp.Go"+args, "mp.GoIn"+args)
			}
		}
	}
	w.WriteString("\t}\n}\n")
	return w.Bytes()
}
