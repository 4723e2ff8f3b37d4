package naming

import "testing"

func TestExample(t *testing.T) {
	isDeclared := func(name string) bool { return name == "Price" || name == "List" }
	hasMember := func(typ, member string) bool { return typ == "List" && member == "Add" }
	for name, want := range map[string]string{
		"Example": "Example", "ExamplePrice": "ExamplePrice", "ExampleList_Add": "ExampleList_Add", "ExampleList_Add_twice": "ExampleList_Add_twice",
		"Example_sums": "Example_sums", "ExamplePrice_high": "ExamplePrice_high",
		"ExampleSums": "Example_sums", "Example_Sums": "Example_sums", "ExampleList_Remove": "Example_list_Remove", "ExampleList_Add_Twice": "Example_list_Add_Twice",
		"ExampleÄpfel": "Example_äpfel",
	} {
		if got := Example(name, isDeclared, hasMember); got != want {
			t.Errorf("Example(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestFunction(t *testing.T) {
	for heading, want := range map[string]string{
		"A new rate": "aNewRate", "Zahlen & Maße": "zahlenMaße", "2 ways": "ways", "": "part3", "len": "part3", "HTTP servers": "httpServers",
		"A heading that is much too long for a name": "aHeadingThatIsMuchTooLong",
	} {
		if got := Function(heading, 2); got != want {
			t.Errorf("Function(%q) = %q, want %q", heading, got, want)
		}
	}
}
