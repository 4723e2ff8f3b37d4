package emit

import "go/types"

// ShowModeOf decides how a value of a static type is shown.
func ShowModeOf(t types.Type) ShowMode {
	switch {
	case isError(t):
		return ShownAsError
	case t == types.Universe.Lookup("rune").Type(): // written so: int32 is another Type
		return ShownAsRune
	}
	return Shown
}

func isError(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}
