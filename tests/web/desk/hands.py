"""How somebody works at a page: by mouse, by keyboard alone, by touch, or without scripts."""

from abc import ABC, abstractmethod

from playwright.sync_api import Page, expect

# The desk's longest page has fewer places for the focus.
_MOST_TABS = 300
_IS_FOCUSED = "selector => document.activeElement === document.querySelector(selector)"


def wait_without_scripts(page: Page, pressed: str) -> None:
    """Press ``pressed``, then "Look again" until what is made behind the page is there."""
    for press in (pressed, *[".awaited a"] * 100):
        # Else what is looked at is the page that is left.
        with page.expect_navigation():
            page.click(press)
        if not page.locator(".awaited a").count():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{page.url} is still being made")


class Hand(ABC):
    """One way of working; selectors are CSS, of which the first element is meant."""

    screen = "desktop, light"
    touch = False
    scripts = True

    def __init__(self, page: Page) -> None:
        self.page = page

    @abstractmethod
    def press(self, selector: str) -> None:
        """Press a link or a button, or open a fold."""

    @abstractmethod
    def write(self, selector: str, text: str) -> None:
        """Write ``text`` in place of what a field has."""

    def choose(self, selector: str, value: str) -> None:
        """Choose of a list."""
        self.page.locator(selector).first.select_option(value)

    def move_up(self, story: str) -> None:
        """Move the story one place up."""
        self.press(f"{story} button[value=up]")


class Mouse(Hand):
    """With a mouse, by which stories are dragged."""

    def press(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def write(self, selector: str, text: str) -> None:
        self.press(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def move_up(self, story: str) -> None:
        before = self.page.locator(f":has(+ {story}) .thumb")
        self.page.locator(f"{story} .thumb").drag_to(before.first)


class Plain(Mouse):
    """With a mouse, in a browser that runs no scripts."""

    scripts = False
    move_up = Hand.move_up


class Keyboard(Hand):
    """With the keyboard alone: what can't be reached by Tab can't be used."""

    screen = "desktop, dark, Armenian"

    def reach(self, selector: str) -> None:
        expect(self.page.locator(selector).first).to_be_visible()
        for _ in range(_MOST_TABS):
            if self.page.evaluate(_IS_FOCUSED, selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab leads nowhere to {selector} of {self.page.url}")

    def press(self, selector: str) -> None:
        self.reach(selector)
        self.page.keyboard.press("Enter")

    def write(self, selector: str, text: str) -> None:
        self.reach(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def choose(self, selector: str, value: str) -> None:
        self.reach(selector)
        chosen = self.page.locator(selector).first
        for _ in range(chosen.locator("option").count()):
            if chosen.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        assert chosen.input_value() == value

    def move_up(self, story: str) -> None:
        self.reach(f"{story} button[value=up]")
        self.page.keyboard.press("Alt+ArrowUp")


class Touch(Hand):
    """With a finger, on a phone."""

    screen = "phone, dark"
    touch = True

    def press(self, selector: str) -> None:
        self.page.locator(selector).first.tap()

    def write(self, selector: str, text: str) -> None:
        self.press(selector)
        self.page.locator(selector).first.fill(text)
