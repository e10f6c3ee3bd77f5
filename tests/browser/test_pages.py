"""Every built page: no other host, no complaint, mathematics rendered."""

def test_page_loads_nothing_from_elsewhere_and_complains_of_nothing(visit, page_path):
    watched = visit(page_path)
    page = watched.page
    page.evaluate("window.MathJax?.startup?.promise")
    page.wait_for_timeout(100)
    elsewhere = [u for u in watched.requests if not u.startswith(("file:", "data:", "blob:", "about:", "http://localhost"))]
    assert elsewhere == []
    assert watched.complaints == []


def test_mathematics_is_rendered(visit, page_path):
    page = visit(page_path).page
    if page.query_selector(".math"):
        page.wait_for_function("window.MathJax?.startup?.promise !== undefined")
        page.evaluate("MathJax.startup.promise")
    left = page.evaluate(
        "[...document.querySelectorAll('.math')].filter(e => !e.querySelector('mjx-container') && !e.closest('mjx-container'))"
        ".map(e => e.textContent.slice(0, 80))"
    )
    assert left == []
    assert page.evaluate("[...document.querySelectorAll('mjx-merror, [data-mjx-error]')].map(e => e.textContent)") == []


def test_the_top_of_the_site_leads_to_the_home_page(browser, site):
    context = browser.new_context()
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    page.wait_for_url("**/book/index.html")
    assert page.title().startswith("What training chooses")
    context.close()
