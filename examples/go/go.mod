module image-signing-guard-go

go 1.25.0

require (
	example.com/pulumi-image-signing-guard/sdk/go v0.1.0
	github.com/pulumi/pulumi/sdk/v3 v3.259.0
)

// Where `pulumi install` puts the SDK that it makes from the component.
replace example.com/pulumi-image-signing-guard/sdk/go => ./sdks/image-signing-guard
