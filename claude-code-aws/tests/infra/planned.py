"""A planned block of Terraform, of which every value that is set must be used."""


class Values:
    """A planned block; what is set must be taken."""

    def __init__(self, address, values):
        self.address = address
        self.left = {name: value for name, value in values.items() if value not in (None, [], {})}

    def __contains__(self, name):
        return name in self.left

    def take(self, name, *otherwise):
        if name in self.left:
            return self.left.pop(name)
        assert otherwise, f"{self.address} sets no {name}"
        return otherwise[0]

    def drop(self, *names):
        for name in names:
            self.left.pop(name, None)

    def block(self, name):
        """The only block of a name."""
        (only,) = self.take(name)
        return Values(f"{self.address}.{name}", only)

    def blocks(self, name):
        return [Values(f"{self.address}.{name}[{index}]", block) for index, block in enumerate(self.take(name, []))]

    def renamed(self, **names):
        """{property: value} of the attributes that are set, each with its property's name; there are no others."""
        taken = {property: self.take(attribute) for property, attribute in names.items() if attribute in self}
        self.end()
        return taken

    def end(self):
        assert not self.left, f"{self.address}: nobody compares {self.left}"
