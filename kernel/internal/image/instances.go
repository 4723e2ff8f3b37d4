package image

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/image/thin"
)

// instancesPackage is the package of the worker process with instances of generic code.
const instancesPackage = ownPackages + "perijove-worker/instances"

// Type arguments of the instances that the worker process contains: those that cells use most.
var (
	elementTypes  = []string{"int", "float64", "string", "bool", "[]byte", "[]int", "[]float64", "[]string"}
	valueTypes    = []string{"int", "int64", "float64", "bool"}
	argumentTypes = []string{"int", "float64", "string", "struct{}"}
	resultTypes   = []string{"int", "float64", "string", "bool"}
)

type instanceType struct {
	name string
	args []string
}

// instanceTypes are the generic types of package mp of which the worker process contains instances.
var instanceTypes = []instanceType{
	{"Queue", elementTypes}, {"JoinableQueue", elementTypes}, {"Conn", elementTypes},
	{"Value", valueTypes}, {"Array", valueTypes}, {"Future", resultTypes}, {"Call", resultTypes},
}

// instanceList lists the instances of package mp that the worker process contains.
func instanceList() (list []thin.Instance) {
	add := func(args []string, generic ...string) {
		for _, g := range generic {
			list = append(list, thin.Instance{Generic: g, Args: args})
		}
	}
	for _, t := range instanceTypes {
		for _, arg := range t.args {
			add([]string{arg}, t.name)
		}
	}
	for _, t := range elementTypes {
		add([]string{t}, "NewQueue", "NewJoinableQueue", "NewPipe")
	}
	for _, t := range valueTypes {
		add([]string{t}, "NewValue", "NewArray")
	}
	for _, t := range []string{"int", "int64"} {
		add([]string{t}, "Add")
	}
	for _, a := range argumentTypes {
		for _, form := range []string{"func(A)", "func(A) error", "func(context.Context, A)", "func(context.Context, A) error"} {
			add([]string{a, strings.ReplaceAll(form, "A", a)}, "ForEach", "Start", "StartIn")
		}
		for _, r := range resultTypes {
			for _, form := range []string{"func(A) R", "func(A) (R, error)", "func(context.Context, A) R", "func(context.Context, A) (R, error)"} {
				f := strings.NewReplacer("A", a, "R", r).Replace(form)
				add([]string{r, a, f}, "Map", "Stream", "StreamUnordered", "Submit", "Go", "GoIn")
			}
		}
	}
	return list
}

// instances returns the source of a package with a function All, which refers to the instances that the worker process contains.
func instances() []byte {
	var w bytes.Buffer
	fmt.Fprintf(&w, "package instances\n\nimport (\n\t\"context\"\n\t\"iter\"\n\t\"slices\"\n\n\t%q\n)\n\nfunc All() []any {\n\treturn []any{\n\t\tcontext.Canceled,\n", libraryMP)
	for _, in := range instanceList() {
		name := "mp." + in.Generic + "[" + strings.Join(in.Args, ", ") + "]"
		if slices.ContainsFunc(instanceTypes, func(t instanceType) bool { return t.name == in.Generic }) {
			name = "(*" + name + ")(nil)"
		}
		fmt.Fprintf(&w, "\t\t%s,\n", name)
	}
	for _, fn := range declaredFunctions() {
		fmt.Fprintf(&w, "\t\t(func%s)(%s.%s[%s]),\n", fn.Signature, fn.Path, fn.Generic, strings.Join(fn.Args, ", "))
	}
	w.WriteString("\t}\n}\n")
	return w.Bytes()
}

// declaredInstances lists the instances that the thin form of package mp declares. JoinableQueue embeds another instance, of which a field
// would get the placeholder as its name.
func declaredInstances() []thin.Instance {
	return slices.DeleteFunc(instanceList(), func(in thin.Instance) bool { return strings.HasSuffix(in.Generic, "JoinableQueue") })
}

// declaredFunctions lists the instances of functions of other packages that the worker process contains and the thin form of package mp declares: those that
// make the arguments of Stream.
func declaredFunctions() (list []thin.Function) {
	for _, t := range elementTypes {
		list = append(list, thin.Function{
			Path: "slices", Instance: thin.Instance{Generic: "Values", Args: []string{"[]" + t, t}},
			Signature: "([]" + t + ") iter.Seq[" + t + "]", Imports: []string{"iter"},
		})
	}
	return list
}
