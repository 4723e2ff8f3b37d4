package codec

import (
	"fmt"
	"reflect"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// CheckShareable returns an error if values of a type cannot lie in shared memory; pointer is
// a pointer to that type. what names the object in the error's text, such as "an Array".
//
//go:noinline
func CheckShareable(pointer any, what string) error {
	t := reflect.TypeOf(pointer).Elem()
	if path, why := Unshareable(t, typeName(t)); why != "" {
		return fmt.Errorf("mp: %s of %v cannot be shared: %s %s", what, t, path, why)
	}
	return nil
}

// Unshareable returns the first part of t that cannot lie in shared memory, and the
// reason. why is "" if all of t can be shared.
func Unshareable(t reflect.Type, path string) (where, why string) {
	if t.PkgPath() == "sync" {
		return path, fmt.Sprintf("is %s, which works within one process (use one of package mp beside it)", failure.WithArticle(t.String()))
	}
	switch k := t.Kind(); {
	case reflect.Bool <= k && k <= reflect.Complex128:
		return "", ""
	case k == reflect.Array && t.Len() == 0:
		return "", ""
	case k == reflect.Array:
		return Unshareable(t.Elem(), path+"[]")
	case k == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if where, why = Unshareable(f.Type, path+"."+f.Name); why != "" {
				return where, why
			}
		}
		return "", ""
	}
	return path, fmt.Sprintf("is %s, which holds a pointer (use numbers and arrays of fixed length)", failure.WithArticle(t.String()))
}
